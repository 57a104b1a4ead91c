/** What the agent needs of an operating system: who the device is, and what runs on it. One file per system. */
import type { OsPlatform } from '@longarm/contract/machine';
import type { DeviceFacts } from '@longarm/contract/wire/facts';

/** How something is ended: asked to, or made to. */
export type EndSignal = 'SIGTERM' | 'SIGKILL';

/** A command as it is to be started, with what its environment needs besides. */
export type Contained = {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

export const uncontained = (command: readonly string[]): Contained => ({ command, environment: {} });

export type Platform = {
  readonly osPlatform: OsPlatform;
  /** Another text after each start of the device, the same in between. */
  readonly bootId: () => string;
  /** What tells this device from others and outlives its file system's content where the system has such a thing. */
  readonly hardwareIdentity: () => string;
  readonly facts: () => DeviceFacts;
  /**
   * When the process started, in the system's own words; null when there is no such living process. Together with
   * the pid it names one process for as long as the device runs.
   */
  readonly startTimeOf: (pid: number) => string | null;
  /** Living processes of a group; on Windows, which has no groups, what `adopt` holds with it. */
  readonly groupMembers: (group: number) => readonly number[];
  /**
   * Living processes with this `NAME=value` in their environment, or contained under it; empty where the system
   * does not tell.
   */
  readonly markedProcesses: (assignment: string) => readonly number[];
  /**
   * The same command, held together under the mark where the system can do that, so that nothing it starts escapes.
   * `helperFile`: where a file of the agent's own may lie that helps with it.
   */
  readonly contain: (command: readonly string[], assignment: string, helperFile: string) => Contained;
  /** Holds a process that has just started, and all that it will start, where `contain` cannot do so before. */
  readonly adopt: (pid: number) => void;
  /** What `contain` made is put away; to be called when nothing of it runs any more. */
  readonly release: (assignment: string) => void;
  /** Gives back memory that an agent at rest does not need; nothing where the system knows no way. */
  readonly trimMemory: () => void;
  /** Sends to every process of the group. One that has gone meanwhile is fine. */
  readonly endGroup: (group: number, signal: EndSignal) => void;
  readonly endProcess: (pid: number, signal: EndSignal) => void;
};
