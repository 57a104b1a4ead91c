/**
 * The one way in which an action's state is written: the pure lifecycle decides, the write repeats its guard, the
 * changed commands and the audit entries go in the same unit.
 */
import type { ActionStatus } from '@longarm/contract/action';
import type { ActionId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Kysely, Updateable } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import { type ActionState, advance, type CommandState, type LifecycleEvent } from '../../actions/lifecycle.ts';
import type { NewAuditEntry, Origin } from '../../audit/ports.ts';
import { prepared } from '../prepared.ts';
import type { ActionRow, Schema } from '../schema.ts';
import { writeAuditEntries } from '../write-audit.ts';
import { stateColumns } from './action-rows.ts';

type Change = {
  readonly event: LifecycleEvent;
  readonly actor: string;
  readonly origin?: Origin;
  readonly now: EpochMs;
};

type Guard = { readonly id: ActionId; readonly was: ActionStatus; readonly now: EpochMs };
type StateColumns = Pick<Updateable<ActionRow>, keyof ReturnType<typeof stateColumns>>;

const columnsOf = ({ id: _id, was: _was, now, ...columns }: Guard & StateColumns) => ({ ...columns, updated_at: now });

const updateState = prepared((db, given: Guard & StateColumns) =>
  db.updateTable('actions').set(columnsOf(given)).where('id', '=', given.id).where('status', '=', given.was),
);

/** With its acceptance the time begins that it may run. */
const updateAccepted = prepared((db, given: Guard & StateColumns) =>
  db
    .updateTable('actions')
    .set((eb) => ({ ...columnsOf(given), run_deadline: eb('run_ms', '+', given.now), lease_until: null }))
    .where('id', '=', given.id)
    .where('status', '=', given.was),
);

const updateCommand = prepared(
  (
    db,
    given: Omit<CommandState, 'index' | 'errors'> & {
      readonly actionId: ActionId;
      readonly index: number;
      readonly errors: string;
    },
  ) =>
    db
      .updateTable('commands')
      .set({
        status: given.status,
        started_at: given.startedAt,
        ended_at: given.endedAt,
        errors: given.errors,
        exit_code: given.exitCode,
      })
      .where('action_id', '=', given.actionId)
      .where('idx', '=', given.index)
      .where('status', 'not in', ['Completed', 'Failed']),
);

const writeCommand = (db: Kysely<Schema>, actionId: ActionId, command: CommandState) => {
  const { index, status, startedAt, endedAt, exitCode } = command;
  const errors = JSON.stringify(command.errors);
  return updateCommand(db, { actionId, index, status, startedAt, endedAt, errors, exitCode });
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

const entryOf = (action: ActionRecord, after: ActionState, change: Change): NewAuditEntry => ({
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

/** The record with another state. */
const withState = (action: ActionRecord, state: ActionState): ActionRecord => ({
  ...action,
  ...state,
  commands: action.commands.map((command, place) => ({ ...command, ...state.commands[place] })),
});

export type Applied = { readonly action: ActionRecord; readonly entry: NewAuditEntry };

/** The record after the event and the entry that tells of it, or null when it changes nothing. Writes nothing. */
export const afterEvent = (action: ActionRecord, change: Change): Applied | null => {
  const state = advance(action, change.event, change.now);
  return state === null ? null : { action: withState(action, state), entry: entryOf(action, state, change) };
};

/** Writes what became of an action, by one event or several at the same moment; `before` is as it stands in the rows. */
export const writeState = async (
  db: Kysely<Schema>,
  before: ActionRecord,
  change: { readonly after: ActionRecord; readonly now: EpochMs },
): Promise<void> => {
  const { after, now } = change;
  const isAccepted = before.acceptedAt === null && after.acceptedAt !== null;
  const update = isAccepted ? updateAccepted : updateState;
  const written = await update(db, { ...stateColumns(after), id: before.id, was: before.status, now });
  if (written.numAffectedRows !== 1n) throw new Error(`action ${before.id} changed under its own unit of work`);
  for (const [place, command] of after.commands.entries()) {
    const known = before.commands[place];
    const isSame =
      known?.status === command.status && known.startedAt === command.startedAt && known.endedAt === command.endedAt;
    if (!isSame) await writeCommand(db, after.id, command);
  }
};

/** The state after the event, or null when it changed nothing. */
export const applyEvent = async (
  db: Kysely<Schema>,
  action: ActionRecord,
  change: Change,
): Promise<ActionState | null> => {
  const applied = afterEvent(action, change);
  if (applied === null) return null;
  await writeState(db, action, { after: applied.action, now: change.now });
  await writeAuditEntries(db, [applied.entry]);
  return applied.action;
};
