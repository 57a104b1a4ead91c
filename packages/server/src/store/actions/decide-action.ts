/** The unit behind approve and deny: whose word counts is judged where it is written. */
import { isFinal } from '@longarm/contract/action';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import { awaitsApproval } from '../../actions/lifecycle.ts';
import type { ActionStore, DecisionOutcome } from '../../actions/ports.ts';
import { isSamePerson, type Principal } from '../../actions/same-person.ts';
import type { Schema } from '../schema.ts';
import { applyEvent } from './apply-event.ts';
import { loadAction, loadActionInReach } from './load-actions.ts';

type Asked = Parameters<ActionStore['decide']>[0];

const requesterOf = async (db: Kysely<Schema>, action: ActionRecord): Promise<Principal> => {
  const row = await db
    .selectFrom('actions')
    .select(['requester', 'requester_application'])
    .where('id', '=', action.id)
    .executeTakeFirstOrThrow();
  if (row.requester === null || row.requester_application === null)
    throw new Error(`action ${action.id} waits for approval, and nobody knows who requested it`);
  return { principal: row.requester, applicationId: row.requester_application, name: action.requestor };
};

const STATES = { approve: 'Approved', deny: 'Denied' } as const;

const isSaid = ({ approval }: ActionRecord, asked: Asked): boolean =>
  approval?.state === STATES[asked.decision] && approval.approver === asked.by.name;

const judge = async (db: Kysely<Schema>, action: ActionRecord, asked: Asked): Promise<DecisionOutcome | null> => {
  if (action.approval === null) return { kind: 'not-needed', action };
  if (isSaid(action, asked)) return { kind: 'decided', isRepeated: true, action };
  if (isFinal(action.status) || !awaitsApproval(action)) return { kind: 'too-late', action };
  return isSamePerson(await requesterOf(db, action), asked.by) ? { kind: 'own-request' } : null;
};

export const decideAction = async (db: Kysely<Schema>, asked: Asked): Promise<DecisionOutcome> => {
  const action = await loadActionInReach(db, asked.reach, asked.actionId);
  if (action === null) return { kind: 'no-action' };
  const refused = await judge(db, action, asked);
  if (refused !== null) return refused;
  const event = { kind: asked.decision, approver: asked.by.name, reason: asked.reason } as const;
  await applyEvent(db, action, { event, actor: asked.by.name, origin: asked.origin, now: asked.now });
  const after = await loadAction(db, asked.actionId);
  if (after === null) throw new Error(`action ${asked.actionId} vanished under its own unit of work`);
  return { kind: 'decided', isRepeated: false, action: after };
};
