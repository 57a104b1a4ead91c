/** A second person's word on an action that waits for it: approved, it is claimed; denied, it is cancelled. */
import { Refusal } from '@longarm/contract/errors';
import type { ActionId } from '@longarm/contract/ids';
import type { Caller } from '../audit/ports.ts';
import type { ActionRecord } from './action-record.ts';
import type { ActionStore, Clock, DecisionKind, DecisionOutcome, Hints } from './ports.ts';

type DecideIo = {
  readonly actions: Pick<ActionStore, 'decide'>;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged'>;
  readonly clock: Clock;
};

export type DecisionAsked = {
  readonly actionId: ActionId;
  readonly decision: DecisionKind;
  readonly reason: string;
};

const tooLate = ({ id, status, approval }: ActionRecord): string =>
  approval === null || approval.state === 'Required'
    ? `Machine action ${id} is ${status} already: there is nothing to approve or deny.`
    : `Machine action ${id} is ${approval.state} already, by ${approval.approver}.`;

const refusal = (outcome: Exclude<DecisionOutcome, { kind: 'decided' }>, asked: DecisionAsked): Refusal => {
  switch (outcome.kind) {
    case 'no-action':
      return new Refusal('ResourceNotFound', `Machine action ${asked.actionId} was not found.`);
    case 'own-request':
      return new Refusal(
        'DisallowedOperation',
        `Machine action ${asked.actionId} was requested by you, or through your application: it takes a second person to ${asked.decision} it.${asked.decision === 'deny' ? ' Cancel it instead.' : ''}`,
      );
    case 'not-needed':
      return new Refusal('BadRequest', `Machine action ${asked.actionId} needs no approval.`);
    case 'too-late':
      return new Refusal('BadRequest', tooLate(outcome.action));
  }
};

/** Throws ResourceNotFound, DisallowedOperation for the requester, BadRequest when there is nothing to decide any more. */
export const decideAction =
  (io: DecideIo) =>
  async (caller: Caller, asked: DecisionAsked): Promise<ActionRecord> => {
    const by = { principal: caller.principal, applicationId: caller.applicationId, name: caller.name };
    const outcome = await io.actions.decide({
      ...asked,
      reach: caller,
      by,
      origin: caller.origin,
      now: io.clock.now(),
    });
    if (outcome.kind !== 'decided') throw refusal(outcome, asked);
    if (!outcome.isRepeated) {
      io.hints.actionChanged(asked.actionId);
      io.hints.wake(outcome.action.machineId);
    }
    return outcome.action;
  };
