/** The unit behind a decision on a device: its state, the end of what it was to do, and the audit entry, together. */
import type { ActionId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import { decideState } from '../../machines/enrolment-state.ts';
import type { EnrolmentChange, EnrolmentOutcome } from '../../machines/ports.ts';
import { applyEvent } from '../actions/apply-event.ts';
import { isNotOver } from '../actions/conditions.ts';
import { withCommands } from '../actions/load-actions.ts';
import type { Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';

/** Ends everything that the device has or was to get; what it says from now on is not heard. */
const endActions = async (db: Kysely<Schema>, change: EnrolmentChange): Promise<readonly ActionId[]> => {
  const rows = await db
    .selectFrom('actions')
    .selectAll()
    .where('machine_id', '=', change.machineId)
    .where(isNotOver)
    .orderBy('seq')
    .execute();
  const event = { kind: 'revoked', reason: change.reason } as const;
  const { actor, now } = change;
  const ended: ActionId[] = [];
  for (const action of await withCommands(db, rows))
    if ((await applyEvent(db, action, { event, actor, now })) !== null) ended.push(action.id);
  return ended;
};

export const decideEnrolment = async (db: Kysely<Schema>, change: EnrolmentChange): Promise<EnrolmentOutcome> => {
  const { tenantId, machineId, decision, reason, actor, now } = change;
  const known = await db
    .selectFrom('machines')
    .select('enrolment_state')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', machineId)
    .executeTakeFirstOrThrow();
  const state = decideState(known.enrolment_state, decision);
  if (state === null) return { kind: 'refused', state: known.enrolment_state };
  await db
    .updateTable('machines')
    .set({ enrolment_state: state, enrolment_reason: reason === '' ? null : reason, generations: null })
    .where('id', '=', machineId)
    .execute();
  const ended = decision === 'revoke' ? await endActions(db, change) : [];
  await writeAudit(db, {
    tenantId,
    at: now,
    actor,
    event: `machine.${state}`,
    subject: machineId,
    detail: { before: known.enrolment_state, reason, endedActions: ended },
  });
  return { kind: 'changed', state, ended };
};
