/**
 * The one way in which an action's state is written: the pure lifecycle decides, the write repeats its guard, the
 * changed commands and the audit entry go in the same unit.
 */
import type { EpochMs } from '@longarm/contract/instant';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import { type ActionState, advance, type CommandState, type LifecycleEvent } from '../../actions/lifecycle.ts';
import type { Origin } from '../../audit/ports.ts';
import type { Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';
import { stateColumns } from './action-rows.ts';

const writeCommand = async (db: Kysely<Schema>, action: ActionRecord, command: CommandState) => {
  await db
    .updateTable('commands')
    .set({
      status: command.status,
      started_at: command.startedAt,
      ended_at: command.endedAt,
      errors: JSON.stringify(command.errors),
      exit_code: command.exitCode,
    })
    .where('action_id', '=', action.id)
    .where('idx', '=', command.index)
    .where('status', 'not in', ['Completed', 'Failed'])
    .execute();
};

const auditName = (before: ActionState, after: ActionState, event: LifecycleEvent): string => {
  if (after.status !== before.status) return `action.${after.status}`;
  if (after.approval?.state !== before.approval?.state) return `action.approval.${after.approval?.state}`;
  if (after.cancellation?.state !== before.cancellation?.state)
    return `action.cancellation.${after.cancellation?.state}`;
  return `action.${event.kind}`;
};

/** Who said yes or no, and why: in the entry of the moment when it was said. */
const decisionDetail = (before: ActionState, { approval }: ActionState) =>
  approval === null || approval.state === before.approval?.state
    ? {}
    : { approval: approval.state, approver: approval.approver, approvalReason: approval.reason };

/** What a device says that it did, and the hashes of what it sent of it; what somebody said who cancelled. */
const eventDetail = (event: LifecycleEvent) => {
  if (event.kind === 'command-started') return { index: event.index };
  if (event.kind === 'cancel') return { comment: event.comment };
  if (event.kind !== 'command-finished') return {};
  const { index, outcome, exitCode } = event;
  const results = event.results.map(({ stream, sha256, sizeBytes }) => ({ stream, sha256, sizeBytes }));
  return { index, outcome, exitCode, results };
};

/** The state after the event, or null when it changed nothing. */
export const applyEvent = async (
  db: Kysely<Schema>,
  action: ActionRecord,
  change: { readonly event: LifecycleEvent; readonly actor: string; readonly origin?: Origin; readonly now: EpochMs },
): Promise<ActionState | null> => {
  const after = advance(action, change.event, change.now);
  if (after === null) return null;
  const accepted = action.acceptedAt === null && after.acceptedAt !== null;
  const written = await db
    .updateTable('actions')
    .set((eb) => ({
      ...stateColumns(after),
      updated_at: change.now,
      ...(accepted ? { run_deadline: eb('run_ms', '+', change.now), lease_until: null } : {}),
    }))
    .where('id', '=', action.id)
    .where('status', '=', action.status)
    .executeTakeFirst();
  if (written.numUpdatedRows !== 1n) throw new Error(`action ${action.id} changed under its own unit of work`);
  const before = new Map(action.commands.map((command) => [command.index, command]));
  for (const command of after.commands) {
    if (command !== before.get(command.index)) await writeCommand(db, action, command);
  }
  await writeAudit(db, {
    tenantId: action.tenantId,
    at: change.now,
    actor: change.actor,
    event: auditName(action, after, change.event),
    subject: action.id,
    ...(change.origin === undefined ? {} : { origin: change.origin }),
    detail: {
      machineId: action.machineId,
      reason: after.reason,
      ...eventDetail(change.event),
      ...decisionDetail(action, after),
    },
  });
  return after;
};
