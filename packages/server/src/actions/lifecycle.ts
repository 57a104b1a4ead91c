/**
 * The life of an action and its commands, as one pure function. Every write of a status goes through it, inside the
 * store's unit of work, and repeats its guard there.
 *
 *   action   Pending ─accepted→ InProgress ─all completed→ Succeeded
 *              └ cancelled│queue expired ─┴─ failed│cancelled│run expired│lost → Failed, Cancelled, TimeOut
 *   command  Created → Executing → Completed | Failed
 *
 * An action that needs a second person stays Pending, and no device has it, until that person has agreed.
 * A final state is never left. When an action ends otherwise than by success its first unfinished command becomes
 * Failed with the reason, in the same step, and the later ones stay Created (semantics 6). What a device reports
 * after that changes nothing here; its evidence is kept beside it.
 */
import {
  type ActionStatus,
  type ApprovalState,
  type CancellationState,
  type CommandStatus,
  type FinalStatus,
  isFinal,
} from '@longarm/contract/action';
import type { EpochMs } from '@longarm/contract/instant';
import type { Fact } from '@longarm/contract/wire/to-server';

export type CommandState = {
  readonly index: number;
  readonly status: CommandStatus;
  readonly startedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly errors: readonly string[];
  readonly exitCode: number | null;
};

export type Cancellation = {
  readonly state: CancellationState;
  readonly requestor: string;
  readonly comment: string;
  readonly requestedAt: EpochMs;
  readonly acknowledgedAt: EpochMs | null;
  readonly effectiveAt: EpochMs | null;
};

/** That a second person has to agree, or what that person said. */
export type Approval = {
  readonly state: ApprovalState;
  readonly approver: string | null;
  readonly reason: string | null;
  readonly decidedAt: EpochMs | null;
};

export type Decision = { readonly approver: string; readonly reason: string };

export type ActionState = {
  readonly status: ActionStatus;
  /** Why it ended, in a sentence; null while it has not, and after success. */
  readonly reason: string | null;
  /** A device may have it: it was offered at least once. */
  readonly offered: boolean;
  /** It counts as a running session (semantics 2). */
  readonly holdsSlot: boolean;
  readonly acceptedAt: EpochMs | null;
  readonly cancellation: Cancellation | null;
  /** Null where no second person is needed. */
  readonly approval: Approval | null;
  readonly commands: readonly CommandState[];
};

export type LifecycleEvent =
  | Fact
  | { readonly kind: 'cancel'; readonly requestor: string; readonly comment: string }
  | ({ readonly kind: 'approve' | 'deny' } & Decision)
  | { readonly kind: 'queue-expired' }
  | { readonly kind: 'run-expired' }
  | { readonly kind: 'lost' }
  /** The device is no longer one of ours. */
  | { readonly kind: 'revoked'; readonly reason: string };

/** Final, and nothing of it runs on its device any more. */
export const isOverInEffect = (state: Pick<ActionState, 'status' | 'cancellation'>): boolean =>
  isFinal(state.status) && (state.cancellation === null || state.cancellation.state === 'Effective');

const isFinished = (command: CommandState): boolean => command.status === 'Completed' || command.status === 'Failed';

/** Ends what has not ended: the first unfinished command takes the reason, and the slot is free unless a device may still run it. */
const end = (
  state: ActionState,
  how: { readonly status: FinalStatus; readonly reason: string; readonly now: EpochMs },
): ActionState => {
  const first = state.commands.find((command) => !isFinished(command));
  const commands = state.commands.map((command) =>
    command === first
      ? { ...command, status: 'Failed' as const, endedAt: how.now, errors: [...command.errors, how.reason] }
      : command,
  );
  return { ...state, status: how.status, reason: how.reason, holdsSlot: false, commands };
};

const progressWord = (state: ActionState): string =>
  state.commands.some((command) => command.status !== 'Created') ? 'while it was running' : 'before it started';

const cancel = (state: ActionState, event: Extract<LifecycleEvent, { kind: 'cancel' }>, now: EpochMs): ActionState => {
  const ended = end(state, { status: 'Cancelled', reason: `cancelled ${progressWord(state)}`, now });
  const atOnce = !state.offered;
  return {
    ...ended,
    holdsSlot: state.offered && state.holdsSlot,
    cancellation: {
      state: atOnce ? 'Effective' : 'Requested',
      requestor: event.requestor,
      comment: event.comment,
      requestedAt: now,
      acknowledgedAt: atOnce ? now : null,
      effectiveAt: atOnce ? now : null,
    },
  };
};

/** No device may have it before a second person has agreed. */
export const awaitsApproval = (state: Pick<ActionState, 'approval'>): boolean => state.approval?.state === 'Required';

const decided = (state: ApprovalState, { approver, reason }: Decision, now: EpochMs): Approval => ({
  state,
  approver,
  reason,
  decidedAt: now,
});

/** A no is a cancel by the second person: it was never offered, so it is effective at once. */
const deny = (state: ActionState, { approver, reason }: Decision, now: EpochMs): ActionState => {
  const cancelled = cancel(state, { kind: 'cancel', requestor: approver, comment: reason }, now);
  const ended = end(state, { status: 'Cancelled', reason: `denied by ${approver} before it started: ${reason}`, now });
  const approval = decided('Denied', { approver, reason }, now);
  return { ...ended, cancellation: cancelled.cancellation, approval };
};

const decide = (
  state: ActionState,
  event: Extract<LifecycleEvent, { kind: 'approve' | 'deny' }>,
  now: EpochMs,
): ActionState | null => {
  if (state.status !== 'Pending' || !awaitsApproval(state)) return null;
  return event.kind === 'deny' ? deny(state, event, now) : { ...state, approval: decided('Approved', event, now) };
};

/** What can happen to an action that nobody has agreed to yet. */
const BEFORE_APPROVAL: ReadonlySet<LifecycleEvent['kind']> = new Set([
  'approve',
  'deny',
  'cancel',
  'queue-expired',
  'revoked',
]);

const revokedReason = (reason: string): string =>
  reason === '' ? 'its device was revoked' : `its device was revoked: ${reason}`;

const queueReason = (state: ActionState): string =>
  awaitsApproval(state)
    ? 'timed out: nobody approved it within the queue time'
    : 'timed out: its device did not take it within the queue time';

/** When a device says that it happened: believed as far as a calendar and this clock go. */
const believable = (at: EpochMs, now: EpochMs): EpochMs => Math.min(Math.max(at, 0), now);

/**
 * It runs, so it counts, also where its slot was given back while the device was away. Whoever tells of a command has
 * accepted: without it the action would have no time by which it ends.
 */
const accept = (state: ActionState, now: EpochMs): ActionState =>
  state.status === 'Pending' ? { ...state, status: 'InProgress', acceptedAt: now, holdsSlot: true } : state;

const startCommand = (state: ActionState, index: number, at: EpochMs): ActionState | null => {
  const target = state.commands[index];
  if (target?.status !== 'Created') return null;
  const commands = state.commands.map((command) =>
    command === target ? { ...command, status: 'Executing' as const, startedAt: at } : command,
  );
  return { ...state, commands };
};

const finishCommand = (
  state: ActionState,
  fact: Extract<Fact, { kind: 'command-finished' }>,
  now: EpochMs,
): ActionState | null => {
  const target = state.commands[fact.index];
  if (target === undefined || isFinished(target)) return null;
  const at = believable(fact.at, now);
  const finished: CommandState = {
    ...target,
    status: fact.outcome,
    startedAt: target.startedAt ?? at,
    endedAt: at,
    errors: fact.errors,
    exitCode: fact.exitCode,
  };
  const commands = state.commands.map((command) => (command === target ? finished : command));
  const next: ActionState = { ...state, commands };
  if (fact.outcome === 'Failed') {
    const reason = `command ${fact.index} failed: ${fact.errors[0] ?? 'the device gave no reason'}`;
    return { ...next, status: 'Failed', reason, holdsSlot: false };
  }
  const done = commands.every((command) => command.status === 'Completed');
  return done ? { ...next, status: 'Succeeded', holdsSlot: false } : next;
};

/** What a device's word changes about a cancel that was asked for. */
const cancelProgress = (state: ActionState, heard: CancellationState, now: EpochMs): ActionState | null => {
  const cancellation = state.cancellation;
  if (cancellation === null || cancellation.state === 'Effective' || cancellation.state === heard) return null;
  return {
    ...state,
    holdsSlot: heard === 'Effective' ? false : state.holdsSlot,
    cancellation: {
      ...cancellation,
      state: heard,
      acknowledgedAt: cancellation.acknowledgedAt ?? now,
      effectiveAt: heard === 'Effective' ? now : null,
    },
  };
};

const advanceUnfinished = (state: ActionState, event: LifecycleEvent, now: EpochMs): ActionState | null => {
  // whatever a device says of it, it cannot have it yet
  if (awaitsApproval(state) && !BEFORE_APPROVAL.has(event.kind)) return null;
  switch (event.kind) {
    case 'accepted':
      return state.status === 'Pending' ? accept(state, now) : null;
    case 'refused':
      return end(state, { status: 'Failed', reason: `refused by the device: ${event.reason}`, now });
    case 'command-started':
      return startCommand(accept(state, now), event.index, believable(event.at, now));
    case 'command-finished':
      return finishCommand(accept(state, now), event, now);
    case 'action-ended':
      return end(state, { status: 'Failed', reason: `ended on the device without finishing (${event.how})`, now });
    case 'cancel-heard':
      return null;
    case 'cancel':
      return cancel(state, event, now);
    case 'approve':
    case 'deny':
      return decide(state, event, now);
    case 'queue-expired':
      return end(state, { status: 'TimeOut', reason: queueReason(state), now });
    case 'run-expired':
      return end(state, {
        status: 'TimeOut',
        reason: 'timed out: its device did not finish it within the run time',
        now,
      });
    case 'lost':
      return end(state, { status: 'Failed', reason: 'lost by the device: it no longer knows of it', now });
    case 'revoked':
      return end(state, { status: 'Failed', reason: revokedReason(event.reason), now });
  }
};

/** After these nothing of a cancelled action runs any more, or nobody will ever hear of it. */
const ENDS_IN_EFFECT: ReadonlySet<LifecycleEvent['kind']> = new Set(['action-ended', 'refused', 'lost', 'revoked']);

/** The state after the event, or null where the event changes nothing. `now` is the store's clock. */
export const advance = (state: ActionState, event: LifecycleEvent, now: EpochMs): ActionState | null => {
  if (!isFinal(state.status)) return advanceUnfinished(state, event, now);
  if (event.kind === 'cancel-heard') return cancelProgress(state, 'Acknowledged', now);
  if (ENDS_IN_EFFECT.has(event.kind)) return cancelProgress(state, 'Effective', now);
  return null;
};
