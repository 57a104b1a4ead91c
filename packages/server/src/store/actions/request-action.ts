/** The unit behind runliveresponse: machine, files, busy and sessions are judged and the action is written, together. */

import { type ActionStatus, isFinal } from '@longarm/contract/action';
import { libraryFileOf } from '@longarm/contract/commands/index';
import type { ActionId, MachineId, TenantId } from '@longarm/contract/ids';
import type { Kysely, Selectable } from 'kysely';
import type { NewAction, NewCommand, RequestOutcome } from '../../actions/ports.ts';
import type { Reach } from '../../audit/reach.ts';
import { stateSentence } from '../../machines/enrolment-state.ts';
import { firstOf, prepared } from '../prepared.ts';
import { machineInReach } from '../reach.ts';
import type { ActionRow, CommandRow, LibraryFileRow, Schema } from '../schema.ts';
import { writeAudit } from '../write-audit.ts';
import { actionRecord } from './action-rows.ts';
import { isNotOver } from './conditions.ts';
import { loadAction } from './load-actions.ts';
import { lockdownState } from './lockdown-store.ts';
import { type EnvelopeMaker, filesOf, newEnvelope } from './make-envelope.ts';
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

type MachineAsked = Reach & { readonly machineId: MachineId };

const machineQuery = (db: Kysely<Schema>, { machineId, ...reach }: MachineAsked) =>
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
    .where('machines.merged_into', 'is', null);

const machineOfTenant = prepared((db, given: { readonly tenantId: TenantId; readonly machineId: MachineId }) =>
  machineQuery(db, { ...given, deviceGroups: 'all' }),
);

const findMachine = (db: Kysely<Schema>, { tenantId, machineId, deviceGroups }: NewAction) =>
  deviceGroups === 'all'
    ? firstOf(machineOfTenant(db, { tenantId, machineId }))
    : machineQuery(db, { tenantId, machineId, deviceGroups }).executeTakeFirst();

/** What is not over on the machine: the request comes after it. As many as may wait there, and cancels that run on. */
const lineOf = prepared((db, given: { readonly machineId: MachineId }) =>
  db
    .selectFrom('actions')
    .select(['id', 'status'])
    .where('machine_id', '=', given.machineId)
    .where(isNotOver)
    .orderBy('seq'),
);

const busyBehind = (
  action: NewAction,
  line: readonly { readonly id: ActionId; readonly status: ActionStatus }[],
): RequestOutcome | null => {
  const unfinished = line.filter(({ status }) => !isFinal(status));
  const [first] = unfinished;
  if (first === undefined || unfinished.length < action.maxUnfinishedPerMachine) return null;
  return { kind: 'busy', activeId: first.id, unfinished: unfinished.length };
};

const libraryFile = prepared((db, given: { readonly tenantId: TenantId; readonly name: string }) =>
  db
    .selectFrom('library_files')
    .select(['sha256', 'size_bytes', 'signatures', 'requires_approval'])
    .where('tenant_id', '=', given.tenantId)
    .where('name', '=', given.name),
);

/** The pins of all commands in order, or the first name that is not in the library. */
const pinFiles = async (db: Kysely<Schema>, action: NewAction): Promise<readonly (Pin | null)[] | RequestOutcome> => {
  const pins: (Pin | null)[] = [];
  for (const [index, { command }] of action.commands.entries()) {
    const name = libraryFileOf(command);
    if (name === null) {
      pins.push(null);
      continue;
    }
    const file = await firstOf(libraryFile(db, { tenantId: action.tenantId, name }));
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
  /** Nothing stands before it on a device that is here. */
  readonly claimFor: NewAction['claimFor'];
  readonly machine: Machine;
  readonly pins: readonly (Pin | null)[];
  /** A second person has to agree: by the machine's group, or by a library file of it. */
  readonly approval: boolean;
};

type NewRow = Omit<Selectable<ActionRow>, 'seq'>;

const newActionRow = (action: NewAction, { machine, approval }: Found): NewRow => ({
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
  is_reachable: machine.session_id === null ? 0 : 1,
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

const insertAction = prepared((db, row: NewRow) => db.insertInto('actions').values(row));
const insertCommand = prepared((db, row: CommandRow) => db.insertInto('commands').values(row));

/** With its first lease where it is claimed at once: the row says so from its beginning. */
const claimed = async (
  db: Kysely<Schema>,
  row: NewRow,
  claiming: { readonly commands: readonly CommandRow[]; readonly maker: EnvelopeMaker; readonly leaseMs: number },
): Promise<NewRow> => {
  const { commands, maker, leaseMs } = claiming;
  const now = row.created_at;
  const envelope = await newEnvelope(db, { ...row, commands }, { maker, now });
  return { ...row, envelope, lease_until: now + leaseMs, run_deadline: now + row.run_ms };
};

type Inserted = Pick<Extract<RequestOutcome, { kind: 'accepted' }>, 'action' | 'claim'>;

/** Writes everything, and gives the record as a read would: it is made of the very rows. */
const insertAll = async (
  db: Kysely<Schema>,
  action: NewAction,
  found: Found & { readonly maker: EnvelopeMaker },
): Promise<Inserted> => {
  const commands = action.commands.map((command, index) =>
    commandRow(action, command, { index, pin: found.pins[index] ?? null }),
  );
  const { claimFor, maker } = found;
  const waiting = newActionRow(action, found);
  const row = claimFor === null ? waiting : await claimed(db, waiting, { commands, maker, ...claimFor });
  await insertAction(db, row);
  for (const command of commands) await insertCommand(db, command);
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
  const { id: actionId, envelope } = row;
  const claim = envelope === null ? null : { actionId, envelope, files: filesOf(commands) };
  return { action: actionRecord(row, commands, []), claim };
};

export const requestAction = async (
  db: Kysely<Schema>,
  action: NewAction,
  maker: EnvelopeMaker,
): Promise<RequestOutcome> => {
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
  const { rows: line } = await lineOf(db, { machineId: action.machineId });
  const busy = busyBehind(action, line);
  if (busy !== null) return busy;
  const approval = machine.approval === 1 || pins.some((pin) => pin?.requires_approval === 1);
  const takesSession = machine.session_id !== null && !approval;
  if (takesSession && (await sessionsHeld(db, action.tenantId)) >= action.maxSessions) return { kind: 'sessions-full' };
  const claimFor = takesSession && line.length === 0 ? action.claimFor : null;
  return { kind: 'accepted', ...(await insertAll(db, action, { machine, pins, approval, claimFor, maker })) };
};
