/** A process from its start to its end: in a group of its own, outputs apart and bounded, stopped on request. */
import { constants } from 'node:os';
import type { OsPlatform } from '@longarm/contract/machine';
import type { Platform } from '../platform/platform.ts';
import { pause } from '../platform/timers.ts';
import { type Capture, type Captured, capture } from './capture.ts';
import { type KillIo, killTree, type TreeEnd } from './kill-tree.ts';
import { makeOutputs, removeOutput } from './output-files.ts';
import type { Environment } from './script-environment.ts';

/** How long outputs may stay open after the last process of the group has gone, milliseconds. */
const DRAIN_MS = 1_000;

export type ProcessIo = KillIo & {
  /** Why no script may start on this device now, in a sentence, or null. */
  readonly spawnFault: () => string | null;
  /** In the state folder: what the platform needs to hold a script together, if anything. */
  readonly helperFile: string;
  readonly platform: Pick<Platform, 'startTimeOf' | 'contain' | 'adopt' | 'release'> & {
    readonly osPlatform: OsPlatform;
  };
};

export type ProcessOrder = {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Environment;
  readonly spool: { readonly stdout: string; readonly stderr: string; readonly maxBytes: number };
  /** `NAME=value` by which what leaves the group is found when it has to be stopped. */
  readonly mark: string;
  readonly stop: AbortSignal;
  /** The process is there; when this throws it is ended at once. */
  readonly onStarted: (started: { readonly pid: number; readonly startTime: string | null }) => void;
};

export type ProcessEnd = {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** Number of the signal that ended it, or null. */
  readonly signal: number | null;
  /** It, or something of its, did not go when asked. */
  readonly wasKilled: boolean;
  /** Pids that could not be ended. */
  readonly left: readonly number[];
  readonly stdout: Captured;
  readonly stderr: Captured;
};

const spawnProcess = (io: ProcessIo, order: ProcessOrder) => {
  const { command, environment } = io.platform.contain(order.command, order.mark, io.helperFile);
  return Bun.spawn([...command], {
    cwd: order.folder,
    env: { ...order.environment, ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: io.platform.osPlatform !== 'Windows',
    windowsHide: true,
  });
};

/** With nowhere to keep what it says, nothing is started; what is not started has said nothing. */
const spawn = (io: ProcessIo, order: ProcessOrder) => {
  const outputs = [order.spool.stdout, order.spool.stderr];
  makeOutputs(outputs);
  try {
    return spawnProcess(io, order);
  } catch (fault) {
    outputs.forEach(removeOutput);
    throw fault;
  }
};

/** Ends the tree when told to stop. */
const stopper = (io: ProcessIo, order: ProcessOrder, group: number) => {
  const stopped = Promise.withResolvers<TreeEnd>();
  const stop = () => void killTree(io, { group, mark: order.mark }).then(stopped.resolve, stopped.reject);
  if (order.stop.aborted) stop();
  else order.stop.addEventListener('abort', stop, { once: true });
  return {
    stopped: stopped.promise,
    /** What is left of the group when its first process has ended goes too. */
    settle: (): Promise<TreeEnd> => {
      order.stop.removeEventListener('abort', stop);
      return order.stop.aborted ? stopped.promise : killTree(io, { group, mark: null });
    },
  };
};

const drain = async (io: ProcessIo, captures: readonly Capture[]): Promise<void> => {
  const all = Promise.all(captures.map(({ done }) => done));
  const patience = new AbortController();
  await Promise.race([all, pause(io.after, DRAIN_MS, patience.signal)]);
  patience.abort();
  for (const { abandon } of captures) abandon();
};

/** The runtime names signals; an unnamed one it gives by its number. */
const signalNumber = (signal: NodeJS.Signals | number | null): number | null =>
  typeof signal === 'string' ? constants.signals[signal] : signal;

const announce = async (io: ProcessIo, order: ProcessOrder, pid: number): Promise<void> => {
  try {
    order.onStarted({ pid, startTime: io.platform.startTimeOf(pid) });
  } catch (fault) {
    await killTree({ ...io, graceMs: 0 }, { group: pid, mark: order.mark });
    throw fault;
  }
};

/**
 * Runs a process to its end. Rejects when it cannot be started (`ENOENT`, `EACCES`) or may not be, and with what `onStarted` threw;
 * nothing of it runs any more then either.
 */
export const runProcess = async (io: ProcessIo, order: ProcessOrder): Promise<ProcessEnd> => {
  const fault = io.spawnFault();
  if (fault !== null) throw new Error(fault);
  const child = spawn(io, order);
  io.platform.adopt(child.pid);
  await announce(io, order, child.pid);
  const { maxBytes } = order.spool;
  const stdout = capture(child.stdout, { path: order.spool.stdout, maxBytes });
  const stderr = capture(child.stderr, { path: order.spool.stderr, maxBytes });
  const tree = stopper(io, order, child.pid);
  // one that the kernel holds never exits: the end of stopping is the end then
  await Promise.race([child.exited, tree.stopped]);
  const { wasKilled, left } = await tree.settle();
  await drain(io, [stdout, stderr]);
  io.platform.release(order.mark);
  return {
    exitCode: child.exitCode,
    signal: signalNumber(child.signalCode),
    wasKilled,
    left,
    stdout: await stdout.done,
    stderr: await stderr.done,
  };
};
