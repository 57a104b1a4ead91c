/** Machines that connect: who they are, and that they are there, for many in a few statements. */
import type { MachineId } from '@longarm/contract/ids';
import { type Kysely, sql } from 'kysely';
import type { DeviceIdentity, MachineStore } from '../../machines/ports.ts';
import type { Schema } from '../schema.ts';
import { factColumns, rememberAddresses } from './machine-rows.ts';

type Connection = Parameters<MachineStore['connected']>[0];

/** In the order of the ids; null for one that is not known. */
export const identities = async (
  reader: Kysely<Schema>,
  machineIds: readonly MachineId[],
): Promise<readonly (DeviceIdentity | null)[]> => {
  const rows = await reader
    .selectFrom('machines')
    .select(['id', 'tenant_id', 'public_key', 'merged_into', 'enrolment_state', 'enrolment_reason'])
    .where('id', 'in', machineIds)
    .execute();
  const known = new Map<string, DeviceIdentity>();
  for (const row of rows)
    known.set(row.id, {
      tenantId: row.tenant_id,
      publicKey: row.public_key,
      mergedInto: row.merged_into,
      state: row.enrolment_state,
      stateReason: row.enrolment_reason,
    });
  return machineIds.map((id) => known.get(id) ?? null);
};

const rowOf = ({ machineId, sessionId, facts, externalIp, now }: Connection) => ({
  id: machineId,
  ...factColumns(facts, externalIp),
  last_seen: now,
  session_id: sessionId,
});

/** Numbers among text parameters: in a list of values no column says what it is. */
const NUMBERS: ReadonlySet<string> = new Set(['os_build', 'last_seen']);

const updateAll = async (db: Kysely<Schema>, connections: readonly Connection[]) => {
  const rows = connections.map(rowOf);
  const columns = Object.keys(rows[0] ?? {});
  // column1, column2 … are what both SQLite and PostgreSQL call the columns of such a list
  const sets = columns.slice(1).map((name, place) => {
    const value = sql.ref(`told.column${place + 2}`);
    return sql`${sql.ref(name)} = ${NUMBERS.has(name) ? sql`cast(${value} as bigint)` : value}`;
  });
  const values = rows.map((row) => sql`(${sql.join(Object.values(row))})`);
  await sql`update machines set ${sql.join(sets)} from (values ${sql.join(values)}) as told
    where machines.id = told.column1`.execute(db);
};

/** The last of several connections of one machine counts. */
export const connectMachines = async (db: Kysely<Schema>, all: readonly Connection[]): Promise<void> => {
  const connections = [...new Map(all.map((connection) => [connection.machineId, connection])).values()];
  await updateAll(db, connections);
  await rememberAddresses(
    db,
    connections.map(({ machineId, facts, externalIp, now }) => {
      const addresses = facts.ipAddresses.map((entry) => entry.ipAddress);
      return { machineId, now, addresses: externalIp === null ? addresses : [...addresses, externalIp] };
    }),
  );
};
