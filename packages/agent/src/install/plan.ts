/** The steps of installing and uninstalling, in their order. */
import { dirname, join } from 'node:path';
import type { Command, Service } from './service.ts';
import type { Step } from './step.ts';

export type Site = {
  readonly service: Service;
  /** Files go below it and the running system is left alone; null for this device. */
  readonly root: string | null;
};

/** Where a path of the device lies as seen from here. */
export const placed = ({ root }: Site, path: string): string => (root === null ? path : join(root, path));

const runs = (commands: readonly Command[], mayFail = false): readonly Step[] =>
  commands.map((command) => ({ kind: 'run', command, mayFail }));

/** Tools speak to the running system, which a folder that stands for another is no part of. */
const told = ({ root }: Site, commands: readonly Command[], mayFail = false): readonly Step[] =>
  root === null ? runs(commands, mayFail) : [];

const stopped = (site: Site): readonly Step[] =>
  site.root === null
    ? [...told(site, site.service.stop, true), { kind: 'wait-for-end', path: site.service.state }]
    : [];

export type Wanted = {
  readonly executable: string;
  /** Null where the device is enrolled already. */
  readonly serverUrl: string | null;
  /** What the service starts the agent with. */
  readonly args: readonly string[];
  /** Written for the next install: a file of the device, and what goes in. */
  readonly kept: { readonly path: string; readonly content: string };
};

/** Enrols first: when the server refuses, nothing but an empty state folder and a key are there. */
export const installSteps = (site: Site, { executable, serverUrl, args, kept }: Wanted): readonly Step[] => {
  const { service, root } = site;
  const definition = placed(site, service.definition.path);
  return [
    ...told(site, service.probe),
    { kind: 'folder', path: placed(site, service.state), mode: 0o700 },
    ...told(site, service.protect),
    ...(serverUrl === null ? [] : [{ kind: 'enrol', serverUrl } as const]),
    ...stopped(site),
    { kind: 'folder', path: placed(site, service.folder), mode: 0o755 },
    { kind: 'copy', from: executable, path: placed(site, service.executable) },
    { kind: 'folder', path: dirname(definition), mode: 0o755 },
    { kind: 'write', path: placed(site, kept.path), content: kept.content },
    { kind: 'write', path: definition, content: service.definition.content(args) },
    ...runs(root === null ? service.start : service.startBelow(root)),
  ];
};

/** Removes what was installed, by name; the state only with `isPurge`, and then nothing before it is sure to be ours. */
export const uninstallSteps = (site: Site, isPurge: boolean): readonly Step[] => {
  const { service } = site;
  const path = placed(site, service.state);
  const purge = (...kinds: readonly ('require-state' | 'claim-state' | 'remove-state')[]): readonly Step[] =>
    isPurge ? kinds.map((kind) => ({ kind, path })) : [];
  return [
    ...purge('require-state'),
    ...stopped(site),
    ...purge('claim-state'),
    { kind: 'remove-file', path: placed(site, service.definition.path) },
    { kind: 'remove-file', path: placed(site, service.executable) },
    ...told(site, service.forget, true),
    ...purge('remove-state'),
    { kind: 'remove-empty-folder', path: placed(site, service.folder) },
  ];
};
