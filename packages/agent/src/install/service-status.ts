/** `status`: whether the agent is installed, enrolled and running. */
import { existsSync } from 'node:fs';
import { readState, type StateIo } from './installed-state.ts';
import { placed, type Site } from './plan.ts';
import type { Command } from './service.ts';

type StatusIo = Pick<StateIo, 'platform'> & {
  readonly run: (command: Command) => string;
  readonly say: (line: string) => void;
};

export type ServiceStatus = {
  readonly installed: boolean;
  readonly running: boolean;
  /** Process of the running agent, whoever started it. */
  readonly pid: number | null;
  readonly machineId: string | null;
  readonly server: string | null;
  /** Of the installed executable. */
  readonly version: string | null;
  readonly executable: string;
  readonly state: string;
};

const versionOf = (io: StatusIo, executable: string): string | null => {
  try {
    return io.run([executable, '--version']);
  } catch {
    return null;
  }
};

const statusOf = (io: StatusIo, site: Site): ServiceStatus => {
  const executable = placed(site, site.service.executable);
  const state = placed(site, site.service.state);
  const { identity, pid } = readState(io, state);
  const hasExecutable = existsSync(executable);
  return {
    installed: hasExecutable && existsSync(placed(site, site.service.definition.path)),
    running: pid !== null,
    pid,
    machineId: identity?.machineId ?? null,
    server: identity?.serverUrl ?? null,
    version: hasExecutable ? versionOf(io, executable) : null,
    executable,
    state,
  };
};

const table = (status: ServiceStatus): readonly string[] => {
  const rows: readonly (readonly [string, string])[] = [
    ['installed', status.installed ? 'yes' : 'no'],
    ['running', status.pid === null ? 'no' : `yes, process ${status.pid}`],
    ['machine id', status.machineId ?? 'not enrolled'],
    ['server', status.server ?? 'not enrolled'],
    ['version', status.version ?? 'unknown'],
    ['executable', status.executable],
    ['state', status.state],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
};

/** Says it, and gives whether an agent runs. Throws a sentence when the state may not be looked into. */
export const serviceStatus = (io: StatusIo, site: Site, isJson: boolean): boolean => {
  const status = statusOf(io, site);
  for (const line of isJson ? [JSON.stringify(status)] : table(status)) io.say(line);
  return status.running;
};
