/**
 * The environment that a script gets: small and the same whoever started the agent, so that nothing of the agent's
 * own start leaks into what it runs. docs/agent-protocol.md lists it.
 */
import type { ActionId } from '@longarm/contract/ids';
import type { OsPlatform } from '@longarm/contract/machine';

export type Environment = Readonly<Record<string, string>>;

/** Taken over from the agent's own environment where they are set there. */
const INHERITED: Readonly<Record<OsPlatform, readonly string[]>> = {
  Linux: ['PATH', 'HOME', 'LANG', 'TMPDIR'],
  macOS: ['PATH', 'HOME', 'LANG', 'TMPDIR'],
  Windows: [
    'Path',
    'SystemRoot',
    'SystemDrive',
    'ComSpec',
    'PATHEXT',
    'TEMP',
    'TMP',
    'USERPROFILE',
    'ProgramData',
    'ProgramFiles',
    'PSModulePath',
    'NUMBER_OF_PROCESSORS',
    'PROCESSOR_ARCHITECTURE',
  ],
};

/** What scripts get of an environment: nothing but what is named here. */
export const inheritedFrom = (
  osPlatform: OsPlatform,
  environment: Readonly<Record<string, string | undefined>>,
): Environment =>
  Object.fromEntries(
    INHERITED[osPlatform].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

const POSIX_DEFAULTS: Environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/',
  LANG: 'C.UTF-8',
  TMPDIR: '/tmp',
};

const DEFAULTS: Readonly<Record<OsPlatform, Environment>> = {
  Linux: POSIX_DEFAULTS,
  macOS: POSIX_DEFAULTS,
  Windows: {},
};

/** `NAME=value` that everything started for an action carries in its environment, and by which it can be found. */
export const actionMark = (actionId: ActionId): string => `LONGARM_ACTION_ID=${actionId}`;

export const scriptEnvironment = (
  host: { readonly osPlatform: OsPlatform; readonly inherited: Environment },
  run: { readonly actionId: ActionId; readonly index: number; readonly workingFolder: string },
): Environment => ({
  ...DEFAULTS[host.osPlatform],
  ...host.inherited,
  LONGARM_ACTION_ID: run.actionId,
  LONGARM_COMMAND_INDEX: String(run.index),
  LONGARM_WORKING_FOLDER: run.workingFolder,
});
