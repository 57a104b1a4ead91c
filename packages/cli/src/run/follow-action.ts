/** Watches an action until it is final in effect, showing each change. */
import type { Client } from '@longarm/client/create-client';
import { UnexpectedAnswer } from '@longarm/client/unexpected-answer';
import type { ActionEntity } from '@longarm/contract/action';
import { CliFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';
import type { Progress } from './progress.ts';

export type Follow = {
  readonly actionId: string;
  readonly progress: Progress;
  /** Null: as long as it takes. */
  readonly waitSeconds: number | null;
  readonly interrupted: AbortSignal;
};

/** A signal that aborts with a fault when the time to wait is over; `settle` ends the watch. */
const deadline = (io: Io, follow: Follow) => {
  const controller = new AbortController();
  if (follow.waitSeconds === null) return { signal: controller.signal, settle: () => {} };
  const fault = new CliFault(
    'waitedTooLong',
    `The action ${follow.actionId} is not final after ${follow.waitSeconds} s. It goes on.`,
    `Look again: \`longarm actions get ${follow.actionId}\`. End it: \`longarm cancel ${follow.actionId} --comment WHY\`.`,
  );
  const settle = io.world.after(follow.waitSeconds * 1000, () => controller.abort(fault));
  return { signal: controller.signal, settle };
};

/** The final entity. Throws `CliFault` when interrupted or out of time, and what the client throws. */
export const followAction = async (io: Io, client: Client, follow: Follow): Promise<ActionEntity> => {
  const late = deadline(io, follow);
  const signal = AbortSignal.any([follow.interrupted, late.signal]);
  let last: ActionEntity | null = null;
  try {
    for await (const action of client.watchAction(follow.actionId, { signal })) {
      await follow.progress.show(action);
      last = action;
    }
  } finally {
    late.settle();
    await follow.progress.end();
  }
  if (last === null) throw new UnexpectedAnswer('The event stream ended without telling the state of the action.');
  return last;
};
