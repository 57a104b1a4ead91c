/** How a system starts the agent with the device: where things lie, the definition of the service, what is run for it. */
import type { OsPlatform } from '@longarm/contract/machine';
import { launchd } from './launchd.ts';
import { scheduledTask } from './scheduled-task.ts';
import { systemd } from './systemd.ts';

export type Command = readonly [string, ...string[]];

export type Service = {
  /** Folder that holds nothing but the executable, and on Windows the definition and the state. */
  readonly folder: string;
  readonly executable: string;
  readonly state: string;
  readonly definition: {
    readonly path: string;
    /** `args`: what the agent is started with behind `--state`, one each; quoted here as the system reads them. */
    readonly content: (args: readonly string[]) => string | Uint8Array;
  };
  /** Fails where this way of starting things is not there, before anything is changed. */
  readonly probe: readonly Command[];
  /** Closes the state folder to others, where a mode does not. */
  readonly protect: readonly Command[];
  /** Once the files are there. */
  readonly start: readonly Command[];
  /** Ends the agent and has it not start again; fails where it does not run. */
  readonly stop: readonly Command[];
  /** Once the files are gone. */
  readonly forget: readonly Command[];
  /** Instead of `start`, for a file system below a folder that is not the running one. */
  readonly startBelow: (root: string) => readonly Command[];
};

export const SERVICES: Readonly<Record<OsPlatform, Service>> = {
  Linux: systemd,
  macOS: launchd,
  Windows: scheduledTask,
};
