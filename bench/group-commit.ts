/**
 * The unit queue beside the bare store, by 1, 8, 64 and 512 writers; and the longest time for which the event loop stood
 * still, on this disk and on one whose sync takes 10 ms:
 *
 *   bun --no-install bench/group-commit.ts [seconds] | --quick
 *
 * A unit inserts one row, through Kysely, in its savepoint. The bare store inserts the same rows by a prepared statement,
 * as many to a commit as there are writers. Both take turns. Prints the worst ratio.
 */
import { Database } from 'bun:sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bunSqliteDialect } from '@longarm/server/store/bun-sqlite-dialect';
import { logSync } from '@longarm/server/store/log-sync';
import { changesOf } from '@longarm/server/store/open-store';
import { unitQueue } from '@longarm/server/store/unit-queue';
import { Kysely } from 'kysely';
import { percentileOf } from './latency/percentile.ts';

const ROUNDS = 3;
const SLOW_SYNC_MS = 10;
const isQuick = process.argv.includes('--quick');
const seconds = isQuick ? 0.1 : Number(process.argv[2] ?? 1);
const folder = await mkdtemp(join(tmpdir(), 'longarm-commit-'));
const insert = 'insert into notes (text) values (?)';

const openDatabase = (name: string, synchronous: 'full' | 'normal'): Database => {
  const database = new Database(join(folder, name), { create: true, strict: true });
  database.run('pragma journal_mode = wal');
  database.run(`pragma synchronous = ${synchronous}`);
  database.run('create table if not exists notes (id integer primary key, text text not null)');
  return database;
};

/** The longest gap between two turns of the event loop, milliseconds. */
const watchLoop = () => {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
};

const queued = async (writers: number, syncMs: number) => {
  const database = openDatabase('queued.db', 'normal');
  const writer = new Kysely<{ notes: { id?: number; text: string } }>({ dialect: bunSqliteDialect(database) });
  const log = logSync(join(folder, 'queued.db'), changesOf(database));
  const queue = unitQueue(writer, 'begin immediate', {
    durably: async (commit) => {
      await log.durably(commit);
      if (syncMs > 0) await Bun.sleep(syncMs);
    },
  });
  const until = performance.now() + seconds * 1_000;
  const stall = watchLoop();
  let done = 0;
  const write = async () => {
    for (; performance.now() < until; done++)
      await queue.run((db) => db.insertInto('notes').values({ text: 'x' }).execute());
  };
  await Promise.all(Array.from({ length: writers }, write));
  const stallMs = stall();
  await queue.close();
  await writer.destroy();
  log.close();
  return { rate: done / seconds, stallMs };
};

const bare = (writers: number): number => {
  const database = openDatabase('bare.db', 'full');
  const [begin, add, commit] = ['begin immediate', insert, 'commit'].map((text) => database.prepare(text));
  const until = performance.now() + seconds * 1_000;
  let done = 0;
  for (; performance.now() < until; done += writers) {
    begin?.run();
    for (let row = 0; row < writers; row++) add?.run('x');
    commit?.run();
  }
  for (const statement of [begin, add, commit]) statement?.finalize();
  database.close();
  return done / seconds;
};

try {
  let worst = Number.POSITIVE_INFINITY;
  for (const writers of [1, 8, 64, 512]) {
    const rounds: { queue: number; bare: number; stallMs: number }[] = [];
    for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
      const { rate, stallMs } = await queued(writers, 0);
      rounds.push({ queue: rate, bare: bare(writers), stallMs });
    }
    const slow = await queued(writers, SLOW_SYNC_MS);
    const middle = (name: 'queue' | 'bare' | 'stallMs') =>
      percentileOf(
        rounds.map((round) => round[name]),
        50,
      );
    worst = Math.min(worst, middle('queue') / middle('bare'));
    console.log(
      `${writers} writers: queue ${middle('queue').toFixed(0)}/s, bare ${middle('bare').toFixed(0)}/s, ratio ${(middle('queue') / middle('bare')).toFixed(2)}; longest stall ${middle('stallMs').toFixed(0)} ms; with a sync of ${SLOW_SYNC_MS} ms: ${slow.rate.toFixed(0)}/s, ${slow.stallMs.toFixed(0)} ms`,
    );
  }
  console.log(`ratio: ${worst.toFixed(2)} of the bare store at worst`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
