import { Database } from 'bun:sqlite';
import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Generated, Kysely } from 'kysely';
import { bunSqliteDialect } from './bun-sqlite-dialect.ts';
import { LogFault, logSync } from './log-sync.ts';
import { changesOf } from './open-store.ts';
import { unitQueue } from './unit-queue.ts';

type Schema = { notes: { id: Generated<number>; text: string } };

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).toReversed()) close();
});

const newDatabase = () => {
  const folder = mkdtempSync(join(tmpdir(), 'longarm-log-'));
  open.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'store.db');
  const connect = () => {
    const database = new Database(file, { create: true, strict: true });
    database.run('pragma journal_mode = wal');
    open.push(() => database.close());
    return database;
  };
  const writer = connect();
  writer.run('create table notes (id integer primary key, text text not null)');
  return { file, writer, connect };
};

test('a commit is pending until the disk has it, and not longer', async () => {
  const { file, writer } = newDatabase();
  const log = logSync(file, changesOf(writer));
  open.push(log.close);
  expect(log.pending()).toBeNull();
  const seen: boolean[] = [];
  writer.run("insert into notes (text) values ('a')");
  const written = log.durably(async () => void seen.push(log.pending() !== null));
  expect(log.pending()).not.toBeNull();
  await written;
  expect([seen, log.pending()]).toEqual([[true], null]);
});

test('a read of what is being committed waits for the disk', async () => {
  const { file, writer, connect } = newDatabase();
  const log = logSync(file, changesOf(writer));
  open.push(log.close);
  const reader = new Kysely<Schema>({
    dialect: bunSqliteDialect(connect(), { isShared: true, settled: log.pending }),
  });
  const order: string[] = [];
  let reading: Promise<unknown> = Promise.resolve();
  writer.run('begin');
  writer.run("insert into notes (text) values ('a')");
  const written = log.durably(async () => {
    writer.run('commit');
    reading = reader
      .selectFrom('notes')
      .select('text')
      .execute()
      .then((rows) => order.push(`read ${rows[0]?.text}`));
    // many turns of what is not the disk
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    order.push('committed');
  });
  await written;
  await reading;
  expect(order).toEqual(['committed', 'read a']);
});

test('a disk that refuses the log ends all writing, and nobody is told that it is done', async () => {
  const { file, writer } = newDatabase();
  const log = logSync(file, changesOf(writer));
  const queue = unitQueue(new Kysely<Schema>({ dialect: bunSqliteDialect(writer) }), 'begin immediate', {
    durably: log.durably,
  });
  const add = (text: string) => queue.run((db) => db.insertInto('notes').values({ text }).execute());
  await add('a');
  // what it wrote by is gone: the next sync cannot succeed
  log.close();
  const both = await Promise.allSettled([add('b'), add('c')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(add('d')).rejects.toBeInstanceOf(LogFault);
});

test('what the disk refused is in the log, and is not read any more', async () => {
  const { file, writer, connect } = newDatabase();
  const log = logSync(file, changesOf(writer));
  const reader = new Kysely<Schema>({
    dialect: bunSqliteDialect(connect(), { isShared: true, settled: log.pending }),
  });
  log.close();
  writer.run('begin');
  writer.run("insert into notes (text) values ('a')");
  let meanwhile: Promise<unknown> = Promise.resolve();
  const written = log.durably(async () => {
    writer.run('commit');
    meanwhile = reader.selectFrom('notes').selectAll().execute();
    meanwhile.catch(() => undefined);
  });
  await expect(written).rejects.toBeInstanceOf(LogFault);
  await expect(meanwhile).rejects.toBeInstanceOf(LogFault);
  await expect(reader.selectFrom('notes').selectAll().execute()).rejects.toBeInstanceOf(LogFault);
});

test('a commit that fails is pending no longer', async () => {
  const { file, writer } = newDatabase();
  const log = logSync(file, changesOf(writer));
  open.push(log.close);
  writer.run("insert into notes (text) values ('a')");
  await expect(log.durably(() => Promise.reject(new Error('full')))).rejects.toThrow('full');
  expect(log.pending()).toBeNull();
});

test('a commit of nothing is not synced: nobody waits for a disk', async () => {
  const { file, writer } = newDatabase();
  const log = logSync(file, changesOf(writer));
  // a sync would fail
  log.close();
  await log.durably(async () => {
    expect(log.pending()).toBeNull();
  });
  writer.run("insert into notes (text) values ('a')");
  await expect(log.durably(async () => {})).rejects.toBeInstanceOf(LogFault);
});
