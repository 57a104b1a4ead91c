/** Machines that connect: who they are, and that they are there, for many in a few statements. */
import type { MachineId } from '@longarm/contract/ids';
import { type Kysely, sql } from 'kysely';
import { type Generations, present } from '../../machines/generation.ts';
import type { Connection, ConnectOutcome, DeviceIdentity } from '../../machines/ports.ts';
import { markReachable } from '../actions/mark-reachable.ts';
import { idsOf, type ListedMachine, machinesOf } from '../machine-list.ts';
import { preparedList } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { partsOf } from '../together.ts';
import { type Judged, judgeCopied, type Known, readGenerations } from './copied-machine.ts';
import { factColumns, rememberAddresses } from './machine-rows.ts';

type Entering = { readonly connection: Connection; readonly generations: Generations };

const identityRows = preparedList((db, machines: readonly ListedMachine[]) =>
  db
    .selectFrom('machines')
    .select(['id', 'tenant_id', 'public_key', 'merged_into', 'enrolment_state', 'enrolment_reason'])
    .select(['generations', 'hardware_id', 'key_number', 'former_public_key', 'key_wanted_at'])
    .where('id', 'in', idsOf(machines)),
);

/** In the order of the ids; null for one that is not known. */
export const identities = async (
  reader: Kysely<Schema>,
  machineIds: readonly MachineId[],
): Promise<readonly (DeviceIdentity | null)[]> => {
  const { rows } = await identityRows(reader, machinesOf(machineIds), {});
  const known = new Map<string, DeviceIdentity>();
  for (const row of rows)
    known.set(row.id, {
      tenantId: row.tenant_id,
      publicKey: row.public_key,
      mergedInto: row.merged_into,
      state: row.enrolment_state,
      stateReason: row.enrolment_reason,
      pinnedHardwareId: readGenerations(row.generations).isPinned ? row.hardware_id : null,
      keyNumber: Number(row.key_number),
      formerKey: row.former_public_key,
      isKeyWanted: row.key_wanted_at !== null,
    });
  return machineIds.map((id) => known.get(id) ?? null);
};

const rowOf = ({ connection, generations }: Entering) => ({
  id: connection.machineId,
  ...factColumns(connection.facts, connection.externalIp),
  last_seen: connection.now,
  session_id: connection.sessionId,
  seen_hardware_id: connection.hardwareId,
  generations: JSON.stringify(generations),
  trusted_authorities: connection.trusted === null ? null : JSON.stringify(connection.trusted),
});

/** Numbers among text parameters: in a list of values no column says what it is. */
const NUMBERS: ReadonlySet<string> = new Set(['os_build', 'last_seen']);

const updateRows = preparedList((db, rows: readonly ReturnType<typeof rowOf>[]) => {
  const columns = Object.keys(rows[0] ?? {});
  // column1, column2 … are what both SQLite and PostgreSQL call the columns of such a list
  const sets = columns.slice(1).map((name, place) => {
    const value = sql.ref(`told.column${place + 2}`);
    return sql`${sql.ref(name)} = ${NUMBERS.has(name) ? sql`cast(${value} as bigint)` : value}`;
  });
  const values = rows.map((row) => sql`(${sql.join(Object.values(row))})`);
  const update = sql<never>`update machines set ${sql.join(sets)} from (values ${sql.join(values)}) as told
    where machines.id = told.column1`;
  return { compile: () => update.compile(db) };
});

const knownRows = preparedList((db, machines: readonly ListedMachine[]) =>
  db
    .selectFrom('machines')
    .select(['id', 'tenant_id', 'hardware_id', 'seen_hardware_id', 'generations', 'dns_name', 'last_external_ip'])
    .select('enrolment_state')
    .where('id', 'in', idsOf(machines)),
);

const knownOf = async (db: Kysely<Schema>, ids: readonly MachineId[]): Promise<ReadonlyMap<MachineId, Known>> => {
  const known = new Map<MachineId, Known>();
  for (const part of partsOf(machinesOf(ids)))
    for (const row of (await knownRows(db, part, {})).rows) known.set(row.id, row);
  return known;
};

/** One that is in quarantine already is not judged again until the administrator has spoken. */
const judge = async (db: Kysely<Schema>, known: Known, connection: Connection): Promise<Judged> => {
  const { shown, handedOut } = connection.generation;
  const { generations, verdict } = present(readGenerations(known.generations), shown, handedOut);
  const state = known.enrolment_state;
  if (verdict === 'copied' && state !== 'Quarantined') return judgeCopied(db, known, { connection, generations });
  return { outcome: { state, verdict, refusal: null }, generations };
};

const enter = async (db: Kysely<Schema>, entering: readonly Entering[]) => {
  for (const part of partsOf(entering.map(rowOf))) await updateRows(db, part, {});
  const entered = entering.map(({ connection }) => connection.machineId);
  await markReachable(db, entered, true);
  await rememberAddresses(
    db,
    entering.map(({ connection: { machineId, facts, externalIp, now } }) => {
      const addresses = facts.ipAddresses.map((entry) => entry.ipAddress);
      return { machineId, now, addresses: externalIp === null ? addresses : [...addresses, externalIp] };
    }),
  );
};

/** The last of several connections of one machine counts. Throws for a machine that is not known. */
export const connectMachines = async (
  db: Kysely<Schema>,
  all: readonly Connection[],
): Promise<readonly ConnectOutcome[]> => {
  const last = new Map(all.map((connection) => [connection.machineId, connection]));
  const known = await knownOf(db, [...last.keys()]);
  const judged = new Map<MachineId, Judged>();
  for (const [machineId, connection] of last) {
    const row = known.get(machineId);
    if (row !== undefined) judged.set(machineId, await judge(db, row, connection));
  }
  const entering = [...judged].flatMap(([machineId, { outcome, generations }]) => {
    const connection = last.get(machineId);
    return connection === undefined || outcome.refusal !== null ? [] : [{ connection, generations }];
  });
  await enter(db, entering);
  return all.map(({ machineId }) => {
    const outcome = judged.get(machineId)?.outcome;
    if (outcome === undefined) throw new Error(`machine ${machineId} is not known`);
    return outcome;
  });
};
