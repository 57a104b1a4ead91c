/** Machines in the store. */
import { type MachineId, parseMachineId } from '@longarm/contract/ids';
import { type Kysely, sql } from 'kysely';
import type { Reach } from '../../audit/reach.ts';
import { keep } from '../../machines/generation.ts';
import type { MachineRecord, MachineStore } from '../../machines/ports.ts';
import { markAllUnreachable, markReachable } from '../actions/mark-reachable.ts';
import type { ListedMachine } from '../machine-list.ts';
import { foldCase } from '../odata/fold-case.ts';
import { firstOf, prepared } from '../prepared.ts';
import { machineInReach } from '../reach.ts';
import type { Schema } from '../schema.ts';
import { together } from '../together.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';
import { connectMachines, identities } from './connect-machines.ts';
import { readGenerations } from './copied-machine.ts';
import { decideEnrolment } from './decide-enrolment.ts';
import { enrolMachine } from './enrol-machine.ts';
import { listMachines } from './list-machines.ts';
import { withTags } from './machine-rows.ts';
import { renewKey, wantKey } from './renew-key.ts';
import { noteTrust, unawareMachines } from './trusted-authorities.ts';

type TagChange = Parameters<MachineStore['changeTag']>[0];

const MACHINES_FOUND = 1_000;
/** Machines whose presence is written at once: the others' work goes on in between. */
const MACHINES_PER_UNIT = 1_000;

const generationsOf = prepared((db, given: ListedMachine) =>
  db.selectFrom('machines').select('generations').where('id', '=', given.machineId),
);

const setGenerations = prepared((db, given: ListedMachine & { readonly generations: string }) =>
  db.updateTable('machines').set({ generations: given.generations }).where('id', '=', given.machineId),
);

const keepGeneration = async (db: Kysely<Schema>, machineId: MachineId, hash: string) => {
  const row = await firstOf(generationsOf(db, { machineId }));
  const generations = JSON.stringify(keep(readGenerations(row?.generations ?? null), hash));
  await setGenerations(db, { machineId, generations });
};

/** Changes nothing where another connection of the machine is there already. */
const endSession = prepared((db, given: ListedMachine & { readonly sessionId: string; readonly now: number }) =>
  db
    .updateTable('machines')
    .set({ session_id: null, last_seen: given.now })
    .where('id', '=', given.machineId)
    .where('session_id', '=', given.sessionId),
);

const disconnect = async (db: Kysely<Schema>, ended: Parameters<typeof endSession>[1]) => {
  const { numAffectedRows = 0n } = await endSession(db, ended);
  if (numAffectedRows > 0n) await markReachable(db, [ended.machineId], false);
};

const markSeen = async (db: Kysely<Schema>, machineIds: readonly MachineId[], now: number) => {
  await db.updateTable('machines').set({ last_seen: now }).where('id', 'in', machineIds).execute();
  await db.updateTable('machine_addresses').set({ last_seen: now }).where('machine_id', 'in', machineIds).execute();
};

const changeTag = async (db: Kysely<Schema>, change: TagChange): Promise<boolean> => {
  const { machineId, tag } = change;
  const known = await db
    .selectFrom('machines')
    .select('id')
    .where(machineInReach(change.reach))
    .where('id', '=', machineId)
    .executeTakeFirst();
  if (known === undefined) return false;
  if (change.action === 'Add') {
    await db
      .insertInto('machine_tags')
      .values({ machine_id: machineId, tag })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  } else {
    await db.deleteFrom('machine_tags').where('machine_id', '=', machineId).where('tag', '=', tag).execute();
  }
  await writeAudit(db, {
    tenantId: change.reach.tenantId,
    at: change.now,
    actor: change.actor,
    origin: change.origin,
    event: `machine.tag.${change.action}`,
    subject: machineId,
    detail: { tag },
  });
  return true;
};

type MachineStoreIo = {
  readonly units: UnitQueue<Schema>;
  readonly reader: Kysely<Schema>;
  /** Comes round once: what arrived together has asked. */
  readonly turn: () => Promise<void>;
};

const live = (db: Kysely<Schema>, reach: Reach) =>
  db
    .selectFrom('machines')
    .selectAll('machines')
    .where(machineInReach(reach))
    .where('machines.merged_into', 'is', null);

const resolve = async (db: Kysely<Schema>, reach: Reach, text: string): Promise<readonly MachineRecord[]> => {
  const id = parseMachineId(text);
  if (id !== null) {
    const byId = await db
      .selectFrom('machines')
      .selectAll()
      .where(machineInReach(reach))
      .where('id', '=', id)
      .execute();
    if (byId.length > 0) return withTags(db, byId);
  }
  const lower = foldCase(text);
  const byName = live(db, reach)
    .where((eb) => eb.or([eb(sql`lower(machines.dns_name)`, '=', lower), eb('machines.aad_device_id', '=', lower)]))
    .orderBy('machines.id')
    .limit(MACHINES_FOUND);
  return withTags(db, await byName.execute());
};

const byAddress = async (
  db: Kysely<Schema>,
  query: { readonly reach: Reach; readonly address: string; readonly from: number; readonly to: number },
) => {
  const rows = await live(db, query.reach)
    .innerJoin('machine_addresses', 'machine_addresses.machine_id', 'machines.id')
    .where('machine_addresses.address', '=', query.address)
    .where('machine_addresses.first_seen', '<=', query.to)
    .where('machine_addresses.last_seen', '>=', query.from)
    .orderBy('machines.id')
    .limit(MACHINES_FOUND)
    .execute();
  return withTags(db, rows);
};

const byTag = async (
  db: Kysely<Schema>,
  query: { readonly reach: Reach; readonly tag: string; readonly startsWith: boolean },
) => {
  // compared by length and substring, so that % and _ in a tag are only themselves
  const tagFits = query.startsWith
    ? sql<boolean>`substr(machine_tags.tag, 1, ${[...query.tag].length}) = ${query.tag}`
    : sql<boolean>`machine_tags.tag = ${query.tag}`;
  const rows = await live(db, query.reach)
    .where('machines.id', 'in', (eb) => eb.selectFrom('machine_tags').select('machine_tags.machine_id').where(tagFits))
    .orderBy('machines.id')
    .limit(MACHINES_FOUND)
    .execute();
  return withTags(db, rows);
};

const connected = ({ units, turn }: MachineStoreIo): MachineStore['connected'] =>
  together({ turn, ask: (connections) => units.run((db) => connectMachines(db, connections)) });

export const machineStore = (io: MachineStoreIo): MachineStore => ({
  enrol: (enrolment) => io.units.run((db) => enrolMachine(db, enrolment)),
  decideEnrolment: (change) => io.units.run((db) => decideEnrolment(db, change)),
  identity: together({ turn: io.turn, ask: (machineIds) => identities(io.reader, machineIds) }),
  connected: connected(io),
  generationKept: (machineId, hash) => io.units.run((db) => keepGeneration(db, machineId, hash)),
  wantKey: (wish) => io.units.run((db) => wantKey(db, wish)),
  renewKey: (change) => io.units.run((db) => renewKey(db, change)),
  trusts: (machineId, trusted) => io.units.run((db) => noteTrust(db, machineId, trusted)),
  unaware: (authority) => unawareMachines(io.reader, authority),
  disconnected: (machineId, sessionId, now) => io.units.run((db) => disconnect(db, { machineId, sessionId, now })),
  seen: async (machineIds, now) => {
    for (let start = 0; start < machineIds.length; start += MACHINES_PER_UNIT) {
      const some = machineIds.slice(start, start + MACHINES_PER_UNIT);
      await io.units.run((db) => markSeen(db, some, now));
    }
  },
  disconnectAll: () =>
    io.units.run(async (db) => {
      await db.updateTable('machines').set({ session_id: null }).where('session_id', 'is not', null).execute();
      await markAllUnreachable(db);
    }),
  get: async (reach, machineId) => {
    const rows = await io.reader
      .selectFrom('machines')
      .selectAll()
      .where(machineInReach(reach))
      .where('id', '=', machineId)
      .execute();
    return (await withTags(io.reader, rows))[0] ?? null;
  },
  resolve: (reach, text) => resolve(io.reader, reach, text),
  list: (reach, query, now) => listMachines(io.reader, { reach, query, now }),
  byAddress: (reach, address, window) => byAddress(io.reader, { reach, address, ...window }),
  byTag: (reach, tag, startsWith) => byTag(io.reader, { reach, tag, startsWith }),
  changeTag: (change) => io.units.run((db) => changeTag(db, change)),
});
