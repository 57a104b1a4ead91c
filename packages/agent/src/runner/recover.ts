/**
 * What a start of the agent makes of what the last one left: whatever survived is ended first (semantics 8), then
 * each action that has not ended is finished in words or goes on where it was.
 */
import { existsSync } from 'node:fs';
import type { ActionId } from '@longarm/contract/ids';
import { type CommandEnd, type CommandResult, failedWith, INTERRUPTED } from '../commands/command-run.ts';
import { cutSentences } from '../commands/cut-sentences.ts';
import { hashFile } from '../commands/hash-file.ts';
import type { ActionRecord } from '../journal/entries.ts';
import type { NewFact } from '../journal/journal.ts';
import { killTree } from '../process/kill-tree.ts';
import { actionMark } from '../process/script-environment.ts';
import { sealLeftOver } from '../process/seal-output.ts';
import { finishedFact } from './finished-fact.ts';
import type { RunnerIo } from './runner-io.ts';

const EMPTIED = 'interrupted: the device restarted, and its working folder was emptied';

/** Nobody reads any more what survivors have to say: they get less time to say it. */
const SURVIVOR_GRACE_MS = 1_000;

const endSurvivors = async (io: RunnerIo, { actionId, process }: ActionRecord): Promise<void> => {
  const { platform } = io.commands;
  // another start of the device: nothing of it can be there, and its numbers are somebody else's
  if (process !== null && process.bootId !== platform.bootId()) return;
  const startTime = process === null ? null : platform.startTimeOf(process.pid);
  // a first process that has gone may have left others in its group; one that is another took over the number
  const group = process !== null && (startTime === null || startTime === process.startTime) ? process.pid : null;
  const kill = { ...io.commands.process, graceMs: Math.min(io.commands.process.graceMs, SURVIVOR_GRACE_MS) };
  const { left } = await killTree(kill, { group, mark: actionMark(actionId) });
  platform.release(actionMark(actionId));
  if (left.length > 0) io.log('warn', 'these processes could not be ended', { actionId, pids: left.join(' ') });
};

/** What an interrupted script had said so far, and what of it is not kept. */
const partialResults = async (
  io: RunnerIo,
  { actionId, next: index, payload }: ActionRecord,
): Promise<{ readonly results: readonly CommandResult[]; readonly errors: readonly string[] }> => {
  const results: CommandResult[] = [];
  const errors: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const path = io.commands.folders.spoolFile(actionId, index, stream);
    if (payload === null || !existsSync(path)) continue;
    const sealed = await sealLeftOver({ path, maxBytes: payload.maxOutputBytes });
    const hashed = await hashFile(path);
    if (hashed === null) continue;
    const { cutBytes } = sealed;
    results.push({ stream, path, isSpool: true, isUploaded: false, ...hashed, name: stream, cutBytes });
    errors.push(...cutSentences({ [stream]: sealed }));
  }
  return { results, errors };
};

const endedFact = (io: RunnerIo, actionId: ActionId, how: 'done' | 'cancelled' | 'interrupted'): NewFact => ({
  fact: { kind: 'action-ended', actionId, at: io.now(), how },
});

const interrupt = async (io: RunnerIo, action: ActionRecord): Promise<readonly NewFact[]> => {
  await endSurvivors(io, action);
  const { actionId, next: index, isCancelled } = action;
  const { results, errors } = await partialResults(io, action);
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
  const isFolderGone = index > 0 && action.bootId !== io.commands.platform.bootId();
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
