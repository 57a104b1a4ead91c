/** Ends everything that was started for something: asked first, made to after a grace. */
import type { EndSignal, Platform } from '../platform/platform.ts';
import { type After, pause } from '../platform/timers.ts';

/** How often it is looked whether they have gone, milliseconds. */
const LOOK_MS = 25;
/** How long processes may take to vanish after SIGKILL: one that sits in the kernel cannot. */
const VANISH_MS = 5_000;

export type KillIo = {
  readonly platform: Pick<Platform, 'groupMembers' | 'markedProcesses' | 'endGroup' | 'endProcess'>;
  readonly after: After;
  /** Between asking and killing, milliseconds. */
  readonly graceMs: number;
};

export type Tree = {
  /** The process group, which is the pid of its first process; null when it is not known. */
  readonly group: number | null;
  /** `NAME=value` in the environment of those that left the group; null to leave them alone. */
  readonly mark: string | null;
};

export type TreeEnd = {
  /** Some had to be killed. */
  readonly wasKilled: boolean;
  /** Pids that are still there; empty but for those that the kernel holds. */
  readonly left: readonly number[];
};

const membersOf = (io: KillIo, { group, mark }: Tree): readonly number[] => [
  ...new Set([
    ...(group === null ? [] : io.platform.groupMembers(group)),
    ...(mark === null ? [] : io.platform.markedProcesses(mark)),
  ]),
];

const send = (io: KillIo, tree: Tree, signal: EndSignal): void => {
  if (tree.group !== null && io.platform.groupMembers(tree.group).length > 0) io.platform.endGroup(tree.group, signal);
  if (tree.mark !== null) for (const pid of io.platform.markedProcesses(tree.mark)) io.platform.endProcess(pid, signal);
};

/** Waits until none is left or the time is over; `again` is done at each look. */
const waitUntilGone = async (
  io: KillIo,
  tree: Tree,
  wait: { readonly ms: number; readonly again: () => void },
): Promise<readonly number[]> => {
  let isOver = false;
  const callOff = io.after(wait.ms, () => {
    isOver = true;
  });
  let left = membersOf(io, tree);
  while (left.length > 0 && !isOver) {
    wait.again();
    await pause(io.after, LOOK_MS);
    left = membersOf(io, tree);
  }
  callOff();
  return left;
};

/** Resolves when nothing of the tree is left, or what is left cannot be killed. */
export const killTree = async (io: KillIo, tree: Tree): Promise<TreeEnd> => {
  if (membersOf(io, tree).length === 0) return { wasKilled: false, left: [] };
  send(io, tree, 'SIGTERM');
  const stubborn = await waitUntilGone(io, tree, { ms: io.graceMs, again: () => {} });
  if (stubborn.length === 0) return { wasKilled: false, left: [] };
  // again and again: what forks meanwhile is caught by the next round
  const left = await waitUntilGone(io, tree, { ms: VANISH_MS, again: () => send(io, tree, 'SIGKILL') });
  return { wasKilled: true, left };
};
