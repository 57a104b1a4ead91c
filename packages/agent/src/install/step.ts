/** What an installation does, one thing at a time: said first where only that is wanted, or done. */
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from './service.ts';

export type Step =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'copy'; readonly from: string; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly content: string | Uint8Array }
  | { readonly kind: 'enrol'; readonly serverUrl: string }
  | { readonly kind: 'run'; readonly command: Command; readonly mayFail: boolean }
  /** Until no agent uses the state folder. */
  | { readonly kind: 'wait-for-end'; readonly path: string }
  | { readonly kind: 'remove-file'; readonly path: string }
  /** One that holds something stays. */
  | { readonly kind: 'remove-empty-folder'; readonly path: string }
  | { readonly kind: 'require-state'; readonly path: string }
  /** No agent can start in it from here on. */
  | { readonly kind: 'claim-state'; readonly path: string }
  | { readonly kind: 'remove-state'; readonly path: string };

export type StepIo = {
  /** Runs a tool of the system. Throws a sentence when it is not there or fails. */
  readonly run: (command: Command) => string;
  /** Makes this device a machine of the server, its identity in the state folder. */
  readonly enrol: (serverUrl: string) => Promise<void>;
  readonly state: {
    /** Throws a sentence when an agent goes on using the folder. */
    readonly waitForEnd: (path: string) => Promise<void>;
    /** Throws a sentence when it is no state folder of an agent. */
    readonly require: (path: string) => void;
    /** Throws a sentence when an agent uses it. */
    readonly claim: (path: string) => void;
    readonly remove: (path: string) => void;
  };
};

type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

const DESCRIPTIONS: { readonly [Kind in Step['kind']]: (step: Of<Kind>) => string } = {
  folder: ({ path, mode }) => `make the folder ${path}, mode 0${mode.toString(8)}`,
  copy: ({ from, path }) => `copy ${from} to ${path}`,
  write: ({ path }) => `write ${path}`,
  enrol: ({ serverUrl }) => `enrol at ${serverUrl}`,
  run: ({ command }) => `run ${command.join(' ')}`,
  'wait-for-end': ({ path }) => `wait until no agent uses ${path}`,
  'remove-file': ({ path }) => `remove ${path}`,
  'remove-empty-folder': ({ path }) => `remove the folder ${path} if it is empty`,
  'require-state': ({ path }) => `check that ${path} is the state folder of an agent`,
  'claim-state': ({ path }) => `claim ${path}, so that no agent starts in it`,
  'remove-state': ({ path }) => `remove what the agent kept in ${path}`,
};

/** In words, for people. */
export const describeStep = <Kind extends Step['kind']>(step: Of<Kind> & { readonly kind: Kind }): string => {
  const describe: (step: Of<Kind>) => string = DESCRIPTIONS[step.kind];
  return describe(step);
};

/** There whole or not at all, since a running agent may be replaced. */
const place = (path: string, mode: number, make: (fresh: string) => void): void => {
  const fresh = `${path}.new`;
  make(fresh);
  chmodSync(fresh, mode);
  renameSync(fresh, path);
};

const runStep = (io: StepIo, { command, mayFail }: Of<'run'>): void => {
  try {
    io.run(command);
  } catch (fault) {
    if (!mayFail) throw fault;
  }
};

const removeEmpty = (path: string): void => {
  try {
    rmdirSync(path);
  } catch {
    // not there, or it holds what is not ours
  }
};

/** Throws the system's own words for what it refuses. */
export const performStep = async (io: StepIo, step: Step): Promise<void> => {
  switch (step.kind) {
    case 'folder':
      return void mkdirSync(step.path, { recursive: true, mode: step.mode });
    case 'copy':
      return step.from === step.path ? undefined : place(step.path, 0o755, (fresh) => copyFileSync(step.from, fresh));
    case 'write':
      return place(step.path, 0o644, (fresh) => writeFileSync(fresh, step.content));
    case 'enrol':
      return await io.enrol(step.serverUrl);
    case 'run':
      return runStep(io, step);
    case 'wait-for-end':
      return await io.state.waitForEnd(step.path);
    case 'remove-file':
      return rmSync(step.path, { force: true });
    case 'remove-empty-folder':
      return removeEmpty(step.path);
    case 'require-state':
      return io.state.require(step.path);
    case 'claim-state':
      return io.state.claim(step.path);
    case 'remove-state':
      return io.state.remove(step.path);
  }
};
