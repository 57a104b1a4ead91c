/** The unit behind cancel: final at once; the device is told by a hint, and what it confirms is recorded as facts. */
import { isFinal } from '@longarm/contract/action';
import type { Kysely } from 'kysely';
import type { ActionStore, CancelOutcome } from '../../actions/ports.ts';
import type { Schema } from '../schema.ts';
import { applyEvent } from './apply-event.ts';
import { loadAction, loadActionInReach } from './load-actions.ts';

export const cancelAction = async (
  db: Kysely<Schema>,
  cancel: Parameters<ActionStore['cancel']>[0],
): Promise<CancelOutcome> => {
  const action = await loadActionInReach(db, cancel.reach, cancel.actionId);
  if (action === null) return { kind: 'no-action' };
  if (isFinal(action.status)) return { kind: 'already-final', action };
  const event = { kind: 'cancel', requestor: cancel.requestor, comment: cancel.comment } as const;
  await applyEvent(db, action, { event, actor: cancel.requestor, origin: cancel.origin, now: cancel.now });
  const after = await loadAction(db, cancel.actionId);
  if (after === null) throw new Error(`action ${cancel.actionId} vanished under its own unit of work`);
  return { kind: 'cancelled', action: after };
};
