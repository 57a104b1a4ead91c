/** The unit behind runliveresponse: machine, files, busy and sessions are judged and the action is written, together. */

import { libraryFileOf } from '@longarm/contract/commands/index';
import type { Kysely, Selectable } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { NewAction, NewCommand, RequestOutcome } from '../../actions/ports.ts';
import { stateSentence } from '../../machines/enrolment-state.ts';
import { machineInReach } from '../reach.ts';
import type { ActionRow, LibraryFileRow, Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';
import { actionRecord } from './action-rows.ts';
import { isUnfinished } from './conditions.ts';
import { loadAction } from './load-actions.ts';
import { lockdownState } from './lockdown-store.ts';
import { sessionsHeld } from './sessions-held.ts';

type Pin = Pick<LibraryFileRow, 'sha256' | 'size_bytes' | 'signatures' | 'requires_approval'>;

const findRepeated = async (db: Kysely<Schema>, action: NewAction): Promise<RequestOutcome | null> => {
  if (action.idempotency === null) return null;
  const known = await db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('tenant_id', '=', action.tenantId)
    .where('caller', '=', action.caller)
    .where('key', '=', action.idempotency.key)
    .where('expires_at', '>', action.now)
    .executeTakeFirst();
  if (known === undefined) return null;
  if (known.body_sha256 !== action.idempotency.bodySha256) return { kind: 'key-reused' };
  const repeated = await loadAction(db, known.action_id);
  return repeated === null ? null : { kind: 'repeated', action: repeated };
};

const findMachine = (db: Kysely<Schema>, { machineId, ...reach }: NewAction) =>
  db
    .selectFrom('machines')
    .leftJoin('device_groups as group', 'group.id', 'machines.group_id')
    .select([
      'machines.dns_name',
      'machines.session_id',
      'machines.group_id',
      'machines.enrolment_state',
      'machines.enrolment_reason',
      'group.name as group_name',
      'group.live_response',
      'group.approval',
    ])
    .where(machineInReach(reach))
    .where('machines.id', '=', machineId)
    .where('machines.merged_into', 'is', null)
    .executeTakeFirst();

const findBusy = async (db: Kysely<Schema>, action: NewAction): Promise<RequestOutcome | null> => {
  const unfinished = await db
    .selectFrom('actions')
    .select('id')
    .where('machine_id', '=', action.machineId)
    .where(isUnfinished)
    .orderBy('seq')
    .limit(action.maxUnfinishedPerMachine)
    .execute();
  const [first] = unfinished;
  if (first === undefined || unfinished.length < action.maxUnfinishedPerMachine) return null;
  return { kind: 'busy', activeId: first.id, unfinished: unfinished.length };
};

/** The pins of all commands in order, or the first name that is not in the library. */
const pinFiles = async (db: Kysely<Schema>, action: NewAction): Promise<readonly (Pin | null)[] | RequestOutcome> => {
  const pins: (Pin | null)[] = [];
  for (const [index, { command }] of action.commands.entries()) {
    const name = libraryFileOf(command);
    if (name === null) {
      pins.push(null);
      continue;
    }
    const file = await db
      .selectFrom('library_files')
      .select(['sha256', 'size_bytes', 'signatures', 'requires_approval'])
      .where('tenant_id', '=', action.tenantId)
      .where('name', '=', name)
      .executeTakeFirst();
    if (file === undefined) return { kind: 'no-file', index, name };
    pins.push(file);
  }
  return pins;
};

const commandRow = (
  action: NewAction,
  command: NewCommand,
  place: { readonly index: number; readonly pin: Pin | null },
) => ({
  action_id: action.id,
  idx: place.index,
  type: command.command.type,
  sent: JSON.stringify(command.sent),
  parsed: JSON.stringify(command.command),
  time_limit_seconds: command.timeLimitSeconds,
  file_sha256: place.pin?.sha256 ?? null,
  file_size: place.pin?.size_bytes ?? null,
  file_signatures: place.pin?.signatures ?? '[]',
  status: 'Created' as const,
  started_at: null,
  ended_at: null,
  errors: '[]',
  exit_code: null,
});

type Machine = {
  readonly dns_name: string;
  readonly session_id: string | null;
  readonly approval: 0 | 1 | null;
  readonly group_id: number | null;
};

/** What the rows are made of, but for the action itself. */
type Found = {
  readonly machine: Machine;
  readonly pins: readonly (Pin | null)[];
  /** A second person has to agree: by the machine's group, or by a library file of it. */
  readonly approval: boolean;
};

const newActionRow = (action: NewAction, { machine, approval }: Found): Omit<Selectable<ActionRow>, 'seq'> => ({
  id: action.id,
  tenant_id: action.tenantId,
  machine_id: action.machineId,
  computer_dns_name: machine.dns_name,
  type: 'LiveResponse',
  requestor: action.requestor,
  comment: action.comment,
  source: 'PublicApi',
  status: 'Pending',
  reason: null,
  created_at: action.now,
  updated_at: action.now,
  queue_deadline: action.now + action.queueMs,
  run_ms: action.runMs,
  run_deadline: null,
  accepted_at: null,
  lease_until: null,
  // what waits for a second person runs no sooner than that, so it takes a session at its claim
  holds_slot: machine.session_id === null || approval ? 0 : 1,
  envelope: null,
  cancellation_state: null,
  cancellation_requestor: null,
  cancellation_comment: null,
  cancellation_requested_at: null,
  cancellation_acknowledged_at: null,
  cancellation_effective_at: null,
  group_id: machine.group_id,
  requester: action.requester.principal,
  requester_application: action.requester.applicationId,
  approval_state: approval ? 'Required' : null,
  approver: null,
  approval_reason: null,
  approval_decided_at: null,
});

const insertIdempotencyKey = async (db: Kysely<Schema>, action: NewAction) => {
  if (action.idempotency === null) return;
  const fresh = {
    body_sha256: action.idempotency.bodySha256,
    action_id: action.id,
    expires_at: action.idempotency.expiresAt,
  };
  await db
    .insertInto('idempotency_keys')
    .values({ tenant_id: action.tenantId, caller: action.caller, key: action.idempotency.key, ...fresh })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'caller', 'key']).doUpdateSet(fresh))
    .execute();
};

/** Writes everything, and gives the record as a read would: it is made of the very rows. */
const insertAll = async (db: Kysely<Schema>, action: NewAction, found: Found): Promise<ActionRecord> => {
  const row = newActionRow(action, found);
  const commands = action.commands.map((command, index) =>
    commandRow(action, command, { index, pin: found.pins[index] ?? null }),
  );
  await db.insertInto('actions').values(row).execute();
  await db.insertInto('commands').values(commands).execute();
  await insertIdempotencyKey(db, action);
  await writeAudit(db, {
    tenantId: action.tenantId,
    at: action.now,
    actor: action.requestor,
    origin: action.origin,
    event: 'action.requested',
    subject: action.id,
    detail: {
      machineId: action.machineId,
      comment: action.comment,
      ...(found.approval ? { approval: 'Required' } : {}),
      commands: action.commands.map((command, index) => ({ ...command.sent, sha256: found.pins[index]?.sha256 })),
    },
  });
  return actionRecord(row, commands, []);
};

export const requestAction = async (db: Kysely<Schema>, action: NewAction): Promise<RequestOutcome> => {
  const repeated = await findRepeated(db, action);
  if (repeated !== null) return repeated;
  const lockdown = await lockdownState(db);
  if (lockdown !== null) return { kind: 'locked-down', reason: lockdown.reason };
  const machine = await findMachine(db, action);
  if (machine === undefined) return { kind: 'no-machine' };
  const { enrolment_state: state, enrolment_reason: why } = machine;
  if (state !== 'Approved') return { kind: 'not-enrolled', said: stateSentence(state, why) };
  if (machine.live_response === 0) return { kind: 'switched-off', group: machine.group_name ?? '' };
  const pins = await pinFiles(db, action);
  if (!Array.isArray(pins)) return pins as RequestOutcome;
  const busy = await findBusy(db, action);
  if (busy !== null) return busy;
  const approval = machine.approval === 1 || pins.some((pin) => pin?.requires_approval === 1);
  const takesSession = machine.session_id !== null && !approval;
  if (takesSession && (await sessionsHeld(db, action.tenantId)) >= action.maxSessions) return { kind: 'sessions-full' };
  return { kind: 'accepted', action: await insertAll(db, action, { machine, pins, approval }) };
};
