/**
 * What a start of the agent makes of what the last one left: whatever survived is ended first (semantics 8), then
 * each action that has not ended is finished in words or goes on where it was.
 */
import type { ActionId } from '@longarm/contract/ids';
import { type CommandEnd, failedWith, INTERRUPTED } from '../commands/command-run.ts';
import type { ActionRecord } from '../journal/entries.ts';
import type { NewFact } from '../journal/journal.ts';
import { finishedFact } from './finished-fact.ts';
import type { RunnerIo } from './runner-io.ts';

const EMPTIED = 'interrupted: the device restarted, and its working folder was emptied';

const endedFact = (io: RunnerIo, actionId: ActionId, how: 'done' | 'cancelled' | 'interrupted'): NewFact => ({
  fact: { kind: 'action-ended', actionId, at: io.now(), how },
});

const interrupt = async (io: RunnerIo, action: ActionRecord): Promise<readonly NewFact[]> => {
  await io.leftOver.endSurvivors(action);
  const { actionId, next: index, isCancelled } = action;
  const { results, errors } = await io.leftOver.partialOutput(action);
  const end: CommandEnd = { ...failedWith(isCancelled ? 'cancelled' : INTERRUPTED, ...errors), results };
  const how = isCancelled ? 'cancelled' : 'interrupted';
  return [finishedFact({ actionId, index }, end, io.now()), endedFact(io, actionId, how)];
};

/** The facts that settle the action, or null when it simply goes on. */
const settle = async (io: RunnerIo, action: ActionRecord): Promise<readonly NewFact[] | null> => {
  const { actionId, payload, next: index } = action;
  if (action.isStarted) return interrupt(io, action);
  if (action.isCancelled) return [endedFact(io, actionId, 'cancelled')];
  if (action.hasFailed || payload === null || index >= payload.commands.length)
    return [endedFact(io, actionId, 'done')];
  const isFolderGone = index > 0 && action.bootId !== io.bootId;
  if (!isFolderGone) return null;
  return [finishedFact({ actionId, index }, failedWith(EMPTIED), io.now()), endedFact(io, actionId, 'interrupted')];
};

/** Settles every action that has not ended; gives those that go on, in their order. Call before anything is run. */
export const recover = async (io: RunnerIo): Promise<readonly ActionId[]> => {
  const goOn: ActionId[] = [];
  for (const action of io.journal.actions()) {
    if (action.ended !== null) continue;
    const facts = await settle(io, action);
    if (facts === null) goOn.push(action.actionId);
    else io.journal.report(...facts);
    io.log('info', 'found an action that had not ended', { actionId: action.actionId, goesOn: facts === null });
  }
  return goOn;
};
