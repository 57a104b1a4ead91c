import { Database } from 'bun:sqlite';
import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Generated, Kysely, sql } from 'kysely';
import { bunSqliteDialect } from './bun-sqlite-dialect.ts';
import { unitQueue } from './unit-queue.ts';

type Schema = { notes: { id: Generated<number>; text: string }; parents: { id: number }; children: { parent: number } };

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).toReversed()) close();
});

/** A queue over a real file, the statements that its connection runs, and a second connection that looks. */
const newQueue = () => {
  const folder = mkdtempSync(join(tmpdir(), 'longarm-units-'));
  open.push(() => rmSync(folder, { recursive: true }));
  const connect = () => {
    const database = new Database(join(folder, 'store.db'), { create: true, strict: true });
    database.run('pragma journal_mode = wal');
    database.run('pragma foreign_keys = on');
    database.run('pragma busy_timeout = 0');
    open.push(() => database.close());
    return database;
  };
  const database = connect();
  database.run('create table notes (id integer primary key, text text not null)');
  database.run('create table parents (id integer primary key)');
  database.run('create table children (parent integer not null references parents (id) deferrable initially deferred)');
  const statements: string[] = [];
  const writer = new Kysely<Schema>({
    dialect: bunSqliteDialect(database),
    log: (event) => void statements.push(event.query.sql),
  });
  const other = connect();
  const seen = () =>
    other
      .query<{ text: string }, []>('select text from notes order by id')
      .all()
      .map((row) => row.text);
  const queue = unitQueue(writer, 'begin immediate');
  const add = (text: string) =>
    queue.run(async (db) => {
      await db.insertInto('notes').values({ text }).execute();
      return text;
    });
  return { queue, add, seen, statements, connect };
};

const commits = (statements: readonly string[]): number => statements.filter((each) => each === 'commit').length;
/** Outcomes in the order in which they came. */
const outcomes = async (runs: readonly Promise<unknown>[]): Promise<readonly string[]> => {
  const told: string[] = [];
  await Promise.all(
    runs.map((run) =>
      run.then(
        (value) => void told.push(String(value)),
        (fault) => void told.push(fault instanceof Error ? `! ${fault.message}` : 'not an error'),
      ),
    ),
  );
  return told;
};

test('a unit is answered only when another connection sees what it wrote', async () => {
  const { add, seen } = newQueue();
  const answered = add('a').then(() => seen());
  expect(seen()).toEqual([]);
  expect(await answered).toEqual(['a']);
});

test('units asked for together run in order and share one commit', async () => {
  const { add, seen, statements } = newQueue();
  expect(await outcomes(['a', 'b', 'c'].map(add))).toEqual(['a', 'b', 'c']);
  expect([seen(), commits(statements)]).toEqual([['a', 'b', 'c'], 1]);
  await add('d');
  expect([seen(), commits(statements)]).toEqual([['a', 'b', 'c', 'd'], 2]);
});

test('more units than one commit takes are committed in several, in order', async () => {
  const { add, seen, statements } = newQueue();
  const texts = Array.from({ length: 600 }, (_, place) => `${place}`);
  expect(await outcomes(texts.map(add))).toEqual(texts);
  expect([seen().length, commits(statements)]).toEqual([600, 3]);
});

test('a long group lets the event loop come round, and is one commit all the same', async () => {
  const { queue, statements } = newQueue();
  let hasComeRound = false;
  const seen: boolean[] = [];
  const units = Array.from({ length: 200 }, (_, place) =>
    queue.run(async (db) => {
      if (place === 0) setImmediate(() => (hasComeRound = true));
      await db.insertInto('notes').values({ text: 'x' }).execute();
      seen.push(hasComeRound);
    }),
  );
  await Promise.all(units);
  expect([seen[0], seen.at(-1), commits(statements)]).toEqual([false, true, 1]);
});

test('a unit that throws is rolled back alone', async () => {
  const { queue, add, seen } = newQueue();
  const broken = queue.run(async (db) => {
    await db.insertInto('notes').values({ id: 900, text: 'half' }).execute();
    throw new Error('on purpose');
  });
  expect((await outcomes([add('before'), broken, add('after')])).toSorted()).toEqual([
    '! on purpose',
    'after',
    'before',
  ]);
  expect(seen()).toEqual(['before', 'after']);
});

test('a unit that the database refuses is rolled back alone', async () => {
  const { queue, add, seen } = newQueue();
  const broken = queue.run(async (db) => {
    await db.insertInto('notes').values({ id: 900, text: 'half' }).execute();
    await sql`insert into notes values (900, 'twice')`.execute(db);
  });
  const told = await outcomes([add('before'), broken, add('after')]);
  expect(told.filter((each) => each.startsWith('!'))).toEqual([expect.stringContaining('UNIQUE')]);
  expect(seen()).toEqual(['before', 'after']);
});

test('a commit that fails refuses every unit of it, writes none, and the next goes on', async () => {
  const { queue, add, seen } = newQueue();
  // judged at the commit: no parent 7
  const orphan = queue.run((db) => db.insertInto('children').values({ parent: 7 }).execute());
  const told = await outcomes([add('with it'), orphan, add('with it too')]);
  expect(told).toHaveLength(3);
  for (const each of told) expect(each).toContain('FOREIGN KEY');
  expect(seen()).toEqual([]);
  expect(await add('later')).toBe('later');
  expect(seen()).toEqual(['later']);
});

test('a database that is locked refuses the units, and the next goes on', async () => {
  const { add, seen, connect } = newQueue();
  const rival = connect();
  rival.run('begin immediate');
  expect(await outcomes([add('a'), add('b')])).toEqual([
    expect.stringContaining('locked'),
    expect.stringContaining('locked'),
  ]);
  rival.run('rollback');
  expect(await add('c')).toBe('c');
  expect(seen()).toEqual(['c']);
});

test('a unit asked for by an answer comes in a later commit', async () => {
  const { add, seen, statements } = newQueue();
  expect(await outcomes([add('a').then(() => add('c')), add('b')])).toEqual(['b', 'c']);
  expect([seen(), commits(statements)]).toEqual([['a', 'b', 'c'], 2]);
});

test('closing waits for what was asked for, and takes no more', async () => {
  const { queue, add, seen } = newQueue();
  const asked = add('a');
  const closing = queue.close().then(() => seen());
  expect(await outcomes([add('b')])).toEqual(['! the store is closed']);
  expect(await closing).toEqual(['a']);
  expect(await asked).toBe('a');
});
