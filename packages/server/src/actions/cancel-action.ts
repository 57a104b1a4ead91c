/** Cancels an action: final in the answer, told to the device by a hint (semantics 5). */
import { Refusal } from '@longarm/contract/errors';
import type { ActionId } from '@longarm/contract/ids';
import type { Caller } from '../audit/ports.ts';
import type { ActionRecord } from './action-record.ts';
import type { ActionStore, AgentLink, Clock, Hints } from './ports.ts';

type CancelIo = {
  readonly actions: Pick<ActionStore, 'cancel'>;
  readonly link: Pick<AgentLink, 'cancel'>;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged' | 'sessionEnded'>;
  readonly clock: Clock;
};

/** Final states in which a cancel is answered with the action, as clients that cancel in a loop expect. */
const ANSWERED_AS_DONE = new Set(['Cancelled', 'Failed']);

const tellDevice = (io: CancelIo, action: ActionRecord) => {
  if (action.cancellation?.state === 'Effective') return;
  io.link.cancel(action.machineId, { actionId: action.id, reason: action.reason ?? 'cancelled' });
};

export const cancelAction =
  (io: CancelIo) =>
  async (caller: Caller, cancel: { readonly actionId: ActionId; readonly comment: string }): Promise<ActionRecord> => {
    const outcome = await io.actions.cancel({
      ...cancel,
      reach: caller,
      requestor: caller.name,
      origin: caller.origin,
      now: io.clock.now(),
    });
    if (outcome.kind === 'no-action')
      throw new Refusal('ResourceNotFound', `Machine action ${cancel.actionId} was not found.`);
    if (outcome.kind === 'already-final') {
      if (ANSWERED_AS_DONE.has(outcome.action.status)) return outcome.action;
      throw new Refusal(
        'BadRequest',
        `Machine action ${cancel.actionId} is ${outcome.action.status} already: only an action that has not ended can be cancelled.`,
      );
    }
    tellDevice(io, outcome.action);
    io.hints.actionChanged(cancel.actionId);
    io.hints.wake(outcome.action.machineId);
    io.hints.sessionEnded();
    return outcome.action;
  };
