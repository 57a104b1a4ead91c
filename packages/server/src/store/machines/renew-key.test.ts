import { Database } from 'bun:sqlite';
import { beforeEach, expect, test } from 'bun:test';
import { MachineId } from '@longarm/contract/ids';
import { ENROLMENT_STATES } from '@longarm/contract/machine';
import { Kysely } from 'kysely';
import type { KeyChange } from '../../machines/ports.ts';
import { bunSqliteDialect } from '../bun-sqlite-dialect.ts';
import { migrate } from '../open-store.ts';
import type { Schema } from '../schema.ts';
import { renewKey } from './renew-key.ts';

const ID = MachineId.parse('ab'.repeat(20));
let database: Database;
let db: Kysely<Schema>;
beforeEach(async () => {
  database = new Database(':memory:', { strict: true });
  await migrate(database);
  db = new Kysely<Schema>({ dialect: bunSqliteDialect(database) });
  const tenant = crypto.randomUUID();
  database.run('insert into tenants (id, name, created_at) values (?, ?, 1)', [tenant, 't']);
  database.run(
    `insert into machines (id, tenant_id, public_key, hardware_id, dns_name, os_platform, os_processor, os_architecture,
       version, agent_version, ip_addresses, first_seen, last_seen, envelope_counter)
     values (?, ?, 'first', 'h', 'n', 'Linux', 'x64', '64-bit', '1', '1', '[]', 1, 1, 0)`,
    [ID, tenant],
  );
});

const change = (changes: Partial<KeyChange> = {}): KeyChange => ({
  machineId: ID,
  formerKey: 'first',
  publicKey: 'second',
  number: 2,
  externalIp: null,
  sessionId: 's',
  now: 5,
  ...changes,
});
const row = () => database.query('select public_key, former_public_key, key_number, key_wanted_at from machines').get();
const entries = () => database.query("select event, detail from audit where event = 'machine.key-rotated'").all();

test('key, number and audit entry change together, and the wish is fulfilled', async () => {
  database.run('update machines set key_wanted_at = 3');
  expect(await renewKey(db, change())).toEqual({ kind: 'renewed' });
  expect(row()).toEqual({ public_key: 'second', former_public_key: 'first', key_number: 2, key_wanted_at: null });
  expect(entries()).toHaveLength(1);
  expect(await renewKey(db, change({ formerKey: 'second', publicKey: 'third', number: 3 }))).toEqual({
    kind: 'renewed',
  });
  expect(row()).toMatchObject({ public_key: 'third', former_public_key: 'second', key_number: 3 });
});

test.each(ENROLMENT_STATES.filter((state) => state !== 'Approved'))(
  'a device that is %s keeps its key',
  async (state) => {
    database.run('update machines set enrolment_state = ?', [state]);
    expect(await renewKey(db, change())).toEqual({ kind: 'refused', state });
    expect([row(), entries()]).toEqual([
      { public_key: 'first', former_public_key: null, key_number: 1, key_wanted_at: null },
      [],
    ]);
  },
);

test('of two claims by one key the first is stored; numbers do not repeat; strangers and replaced ones are unknown', async () => {
  await renewKey(db, change());
  for (const late of [change({ publicKey: 'other' }), change({ formerKey: 'second', number: 2 })])
    expect(await renewKey(db, late)).toEqual({ kind: 'changed' });
  expect(await renewKey(db, change({ machineId: MachineId.parse('cd'.repeat(20)) }))).toEqual({ kind: 'unknown' });
  database.run('update machines set merged_into = id');
  expect(await renewKey(db, change({ formerKey: 'second', publicKey: 'third', number: 3 }))).toEqual({
    kind: 'unknown',
  });
  expect(entries()).toHaveLength(1);
});
