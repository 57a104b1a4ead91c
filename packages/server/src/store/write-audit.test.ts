import { Database } from 'bun:sqlite';
import { afterEach, expect, test } from 'bun:test';
import { NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import { TenantId } from '@longarm/contract/ids';
import { Kysely } from 'kysely';
import { auditHash } from './audit-hash.ts';
import { bunSqliteDialect } from './bun-sqlite-dialect.ts';
import { migrate } from './open-store.ts';
import type { Schema } from './schema.ts';
import { unitQueue } from './unit-queue.ts';
import { auditAtTheEnd, settleAudit, writeAudit, writeAuditEntries } from './write-audit.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const tenantId = TenantId.parse('11111111-1111-4111-8111-111111111111');
const entryOf = (subject: string) => ({ tenantId, at: 1, actor: 'somebody', event: 'something', subject });

const newWorld = async () => {
  const database = new Database(':memory:', { strict: true });
  open.push(() => database.close());
  await migrate(database);
  const db = new Kysely<Schema>({ dialect: bunSqliteDialect(database) });
  const now = 1;
  await db.insertInto('tenants').values({ id: tenantId, name: 'own', created_at: now }).execute();
  const rows = () => db.selectFrom('audit').selectAll().orderBy('seq').execute();
  const head = () => db.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow();
  return { db, rows, head, queue: unitQueue(db, 'begin immediate', { end: auditAtTheEnd }) };
};

type World = Awaited<ReturnType<typeof newWorld>>;

/** Subjects in order; throws where an entry does not follow on the one before it. */
const subjects = async ({ rows, head }: World) => {
  let previous: string = NO_AUDIT_HASH;
  const all = await rows();
  for (const [place, row] of all.entries()) {
    expect(row.seq).toBe(place + 1);
    expect(row.previous).toBe(previous);
    expect(auditHash(row)).toBe(row.hash);
    previous = row.hash;
  }
  expect(await head()).toMatchObject({ seq: all.length, hash: previous });
  return all.map(({ subject }) => subject);
};

test('entries of units that share a commit are chained in the order of the units', async () => {
  const world = await newWorld();
  const { queue } = world;
  const names = Array.from({ length: 23 }, (_, place) => `entry ${place}`);
  await Promise.all(names.map((name) => queue.run((db) => writeAudit(db, entryOf(name)))));
  await queue.run((db) => writeAuditEntries(db, []));
  expect(await subjects(world)).toEqual(names);
});

test('a unit that is refused takes its own entries with it, and nobody else’s', async () => {
  const world = await newWorld();
  const { queue } = world;
  const refused = queue.run(async (db) => {
    await writeAuditEntries(db, [entryOf('refused'), entryOf('refused too')]);
    throw new Error('refused');
  });
  const before = queue.run((db) => writeAudit(db, entryOf('before')));
  const settled = queue.run(async (db) => {
    await writeAudit(db, entryOf('settled and refused'));
    await settleAudit(db);
    throw new Error('refused');
  });
  const after = queue.run((db) => writeAudit(db, entryOf('after')));
  const outcomes = await Promise.allSettled([refused, before, settled, after]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await subjects(world)).toEqual(['before', 'after']);
});

test('who reads the audit in a unit sees what units before it have said', async () => {
  const world = await newWorld();
  const { queue } = world;
  const first = queue.run((db) => writeAudit(db, entryOf('first')));
  const seen = queue.run(async (db) => {
    await settleAudit(db);
    return (await db.selectFrom('audit').select('subject').execute()).map(({ subject }) => subject);
  });
  await first;
  expect(await seen).toEqual(['first']);
  expect(await subjects(world)).toEqual(['first']);
});

test('where no group of units is open, an entry is written at once', async () => {
  const world = await newWorld();
  await writeAudit(world.db, entryOf('alone'));
  expect(await subjects(world)).toEqual(['alone']);
});
