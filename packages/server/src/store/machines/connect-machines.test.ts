import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { MachineId } from '@longarm/contract/ids';
import { Kysely } from 'kysely';
import { bunSqliteDialect } from '../bun-sqlite-dialect.ts';
import { migrate } from '../open-store.ts';
import type { Schema } from '../schema.ts';
import { connectMachines, identities } from './connect-machines.ts';

const database = new Database(':memory:');
const db = new Kysely<Schema>({ dialect: bunSqliteDialect(database) });
const [first, second, other, stranger] = ['a', 'b', 'c', 'd'].map((letter) => MachineId.parse(letter.repeat(40)));
const ids = { first, second, other };

beforeAll(async () => {
  await migrate(database);
  database.run(`insert into tenants (id, name, created_at) values ('t', 'default', 1)`);
  for (const [name, id] of Object.entries(ids))
    database.run(
      `insert into machines (id, tenant_id, public_key, hardware_id, dns_name, os_platform, os_processor, os_architecture,
        version, agent_version, ip_addresses, first_seen, last_seen, envelope_counter, enrolment_state)
       select ?, id, ?, '', 'old', 'Linux', '', '', '', '', '[]', 1, 1, 0, 'Approved' from tenants limit 1`,
      [id ?? '', `key of ${name}`],
    );
});
afterAll(() => db.destroy());

const machineOf = (id: MachineId | undefined) => {
  if (id === undefined) throw new Error('expected a machine');
  return id;
};

const connection = (
  id: MachineId | undefined,
  session: string,
  told: { readonly name: string; readonly build: number | null },
) => ({
  machineId: machineOf(id),
  sessionId: session,
  facts: {
    computerDnsName: told.name,
    osPlatform: 'Linux' as const,
    osVersion: null,
    osProcessor: 'x64',
    version: '12',
    osBuild: told.build,
    osArchitecture: '64-bit' as const,
    agentVersion: '1',
    aadDeviceId: null,
    ipAddresses: [
      { ipAddress: '10.0.0.5', macAddress: null, type: 'Ethernet' as const, operationalStatus: 'Up' as const },
    ],
  },
  externalIp: '192.0.2.1',
  hardwareId: null,
  generation: { shown: null, handedOut: `handed out by ${session}` },
  trusted: null,
  now: 1_700_000_000_000,
});

test('of many that connect, each keeps what it told, and the last connection of one counts', async () => {
  await connectMachines(db, [
    connection(first, 's1', { name: 'one', build: 19_045 }),
    connection(second, 's2', { name: 'two', build: null }),
    connection(first, 's3', { name: 'uno', build: 7 }),
  ]);
  const read = `select dns_name, os_build, typeof(os_build) as kind, last_seen, session_id, first_seen from machines order by id`;
  const now = 1_700_000_000_000;
  expect(database.query(read).all()).toEqual([
    { dns_name: 'uno', os_build: 7, kind: 'integer', last_seen: now, session_id: 's3', first_seen: 1 },
    { dns_name: 'two', os_build: null, kind: 'null', last_seen: now, session_id: 's2', first_seen: 1 },
    { dns_name: 'old', os_build: null, kind: 'null', last_seen: 1, session_id: null, first_seen: 1 },
  ]);
  expect(database.query('select machine_id, address from machine_addresses order by 1, 2').values()).toEqual([
    [machineOf(first), '10.0.0.5'],
    [machineOf(first), '192.0.2.1'],
    [machineOf(second), '10.0.0.5'],
    [machineOf(second), '192.0.2.1'],
  ]);
});

test('of many that connect together, one that is a copy is named, and the others come in', async () => {
  const from = (id: MachineId | undefined, shown: string | null, session: string) => ({
    ...connection(id, session, { name: session, build: null }),
    generation: { shown, handedOut: `after ${session}` },
  });
  const displaced = { current: 'c', pending: null, displaced: ['d'], isPinned: false };
  const set = 'update machines set generations = ? where id = ?';
  database.run(set, [JSON.stringify(displaced), machineOf(second)]);
  const outcomes = await connectMachines(db, [from(first, 'unheard of', 's8'), from(second, 'd', 's9')]);
  expect(outcomes.map(({ state, verdict }) => [state, verdict])).toEqual([
    ['Approved', 'went-back'],
    ['Quarantined', 'copied'],
  ]);
  const [identity] = await identities(db, [machineOf(second)]);
  expect(identity?.stateReason).toBe('its key is used in two places: two (192.0.2.1) and s9 (192.0.2.1)');
  await expect(connectMachines(db, [from(stranger, null, 's10')])).rejects.toThrow('is not known');
});

test('an address that was seen before keeps when it was seen first', async () => {
  const again = { ...connection(second, 's4', { name: 'two', build: null }), now: 1_800_000_000_000 };
  await connectMachines(db, [again]);
  const seen = database.query('select distinct first_seen, last_seen from machine_addresses where machine_id = ?');
  expect(seen.values(machineOf(second))).toEqual([[1_700_000_000_000, 1_800_000_000_000]]);
});

test('identities come in the order that they were asked for, none for a stranger, one twice for who asks twice', async () => {
  const asked = [second, stranger, first, second].map(machineOf);
  expect((await identities(db, asked)).map((identity) => identity?.publicKey ?? null)).toEqual([
    'key of second',
    null,
    'key of first',
    'key of second',
  ]);
});
