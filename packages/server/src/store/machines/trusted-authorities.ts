/** Which authorities devices believe, as they have told. */
import type { MachineId, Sha256 } from '@longarm/contract/ids';
import { type Kysely, sql } from 'kysely';
import type { Unaware } from '../../machines/ports.ts';
import type { Schema } from '../schema.ts';

/** Machines that are named. */
const NAMED = 1_000;
const SYSTEM_TRUST = '[]';

export const noteTrust = async (
  db: Kysely<Schema>,
  machineId: MachineId,
  trusted: readonly Sha256[],
): Promise<void> => {
  await db
    .updateTable('machines')
    .set({ trusted_authorities: JSON.stringify(trusted) })
    .where('id', '=', machineId)
    .execute();
};

const present = (db: Kysely<Schema>) =>
  db
    .selectFrom('machines')
    .where('merged_into', 'is', null)
    .where('enrolment_state', 'not in', ['Rejected', 'Revoked']);

/** Devices that go by their system's trust are no worse off, whatever the authority is. */
const isUnaware = (authority: Sha256) =>
  // hexadecimal digits: nothing in them is a pattern
  sql<boolean>`(trusted_authorities is null or (trusted_authorities <> ${SYSTEM_TRUST} and trusted_authorities not like ${`%${authority}%`}))`;

export const unawareMachines = async (db: Kysely<Schema>, authority: Sha256): Promise<Unaware> => {
  const counted = (query: ReturnType<typeof present>) =>
    query.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  const all = await counted(present(db));
  const unaware = await counted(present(db).where(isUnaware(authority)));
  const rows = await present(db)
    .where(isUnaware(authority))
    .select(['id', 'dns_name', 'last_seen', 'session_id', 'trusted_authorities'])
    .orderBy('last_seen', 'desc')
    .orderBy('id')
    .limit(NAMED)
    .execute();
  return {
    count: Number(unaware.count),
    of: Number(all.count),
    machines: rows.map((row) => ({
      id: row.id,
      name: row.dns_name,
      lastSeen: row.last_seen,
      isOnline: row.session_id !== null,
      tells: row.trusted_authorities !== null,
    })),
  };
};
