/**
 * An action's whole story on this device: its commands in order, each fact in the journal before what follows from
 * it, until one failed, all are done, or somebody stopped it.
 */
import type { ActionId } from '@longarm/contract/ids';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import { type CommandEnd, failedWith, type StopReason } from '../commands/command-run.ts';
import type { NewFact } from '../journal/journal.ts';
import { faultText, requireSystemFault } from '../platform/fault.ts';
import { finishedFact } from './finished-fact.ts';
import type { RunnerIo } from './runner-io.ts';
import { type StepClock, stepClock } from './step-clock.ts';

/** How a running action is stopped from outside. */
export type Control = {
  readonly signal: AbortSignal;
  /** Null until it is to be stopped. */
  readonly reason: () => Exclude<StopReason, 'timed-out'> | null;
};

type Step = {
  readonly payload: EnvelopePayload;
  readonly index: number;
  readonly control: Control;
  readonly clock: StepClock;
};

const putBefore = ({ payload, index }: Step): readonly string[] =>
  payload.commands.slice(0, index).flatMap(({ command }) => (command.type === 'PutFile' ? [command.fileName] : []));

const runStep = async (io: RunnerIo, step: Step): Promise<CommandEnd | null> => {
  const { payload, index, control } = step;
  const ordered = payload.commands[index];
  if (ordered === undefined) return null;
  const { actionId } = payload;
  const outOfTime = new AbortController();
  const callOff = io.after(ordered.timeLimitSeconds * 1_000, () => {
    if (!control.signal.aborted) outOfTime.abort();
  });
  try {
    return await io.runCommand({
      actionId,
      index,
      ordered,
      put: putBefore(step),
      terms: payload,
      ticket: io.tickets.of(actionId),
      brought: (sha256) => io.memo.find(actionId, sha256),
      time: step.clock.time,
      stop: AbortSignal.any([control.signal, outOfTime.signal]),
      stopReason: () => (outOfTime.signal.aborted ? 'timed-out' : (control.reason() ?? 'timed-out')),
      onProcess: (started) => {
        const process = { index, ...started, bootId: io.bootId };
        io.journal.note({ kind: 'process', actionId, process });
      },
    });
  } finally {
    callOff();
  }
};

const endedFact = (io: RunnerIo, actionId: ActionId, control: Control): NewFact => {
  const how = control.reason() === 'cancelled' ? 'cancelled' : 'done';
  return { fact: { kind: 'action-ended', actionId, at: io.now(), how } };
};

const startedFact = (io: RunnerIo, { payload: { actionId } }: Step, index: number): NewFact => ({
  fact: { kind: 'command-started', actionId, index, at: io.now() },
});

/** The next command starts in the same record. A disk that refuses that is met again where the command would start. */
const goOn = (io: RunnerIo, step: Step, finished: NewFact): void => {
  try {
    io.journal.start(finished, startedFact(io, step, step.index + 1));
  } catch (fault) {
    requireSystemFault(fault);
    io.journal.report(finished);
  }
};

/** One record for what is true at once: nobody waits for a second sync. */
const noteFinished = (io: RunnerIo, step: Step, end: CommandEnd): 'goes on' | 'ended' => {
  const { payload, index, control, clock } = step;
  const { actionId } = payload;
  const isLast = end.outcome === 'Failed' || index + 1 === payload.commands.length || control.signal.aborted;
  const finished = { ...finishedFact({ actionId, index }, end, io.now()), steps: clock.steps() };
  if (isLast) io.journal.report(finished, endedFact(io, actionId, control));
  else goOn(io, step, finished);
  io.log('info', 'command finished', { actionId, index, outcome: end.outcome, error: end.errors[0] ?? null });
  if (isLast) io.log('info', 'action ended', { actionId });
  return isLast ? 'ended' : 'goes on';
};

/** With what came before it: that its action was taken on, or the end of another command. */
const isNoted = (io: RunnerIo, { payload, index }: Step): boolean => {
  const action = io.journal.action(payload.actionId);
  return action?.isStarted === true && action.next === index;
};

/** How a command ended that could not even be started; null when it may be. */
const noteStarted = (io: RunnerIo, step: Step): CommandEnd | null => {
  const { payload, index } = step;
  const { actionId } = payload;
  try {
    if (!isNoted(io, step)) io.journal.start(startedFact(io, step, index));
  } catch (fault) {
    requireSystemFault(fault);
    return failedWith(`not started, since this device cannot write its journal: ${faultText(fault)}`);
  }
  io.log('info', 'command started', { actionId, index, type: payload.commands[index]?.command.type ?? null });
  return null;
};

/**
 * Runs what is left of an action. Resolves when nothing of it runs any more.
 */
export const runAction = async (io: RunnerIo, actionId: ActionId, control: Control): Promise<void> => {
  const action = io.journal.action(actionId);
  if (action === null || action.payload === null) return;
  const { payload } = action;
  try {
    for (let index = action.next; ; index++) {
      const step = { payload, index, control, clock: stepClock(io.memo.isTraced(actionId), io) };
      const end = noteStarted(io, step) ?? (await runStep(io, step));
      // the next start of the agent finds it started and not finished, and says so
      if (end === null || control.reason() === 'agent-stops') return;
      if (noteFinished(io, step, end) === 'ended') return;
    }
  } finally {
    io.memo.forget(actionId);
  }
};
