/**
 * The server's database: real SQLite with real transactions, in memory, so that a crash of the server is a new
 * connection to what was committed. A commit is where truth is made, so that is where it is looked at.
 */
import { Database } from 'bun:sqlite';
import type { SqliteConnection } from '@longarm/server/store/bun-sqlite-dialect';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';

export type SimulatedDatabase = {
  /** For invariants, and for breaking things on purpose: no run of the server is asked. */
  readonly raw: Database;
  readonly openedBy: (life: Life) => SqliteConnection;
};

type DatabaseIo = {
  /** A database at the present version, as `serialize` gave it. */
  readonly image: Uint8Array;
  readonly faults: Faults;
  /** After each commit that changed something of actions, commands, results or the audit. */
  readonly onCommit: () => void;
};

/** What is watched; a lease, a heartbeat or a presence changes nothing of it. */
const WATCHED = [
  ...['insert', 'delete', 'update of status, reason, holds_slot, run_deadline'].map((event) => `${event} on actions`),
  ...['commands', 'results'].flatMap((table) => ['insert', 'delete', 'update'].map((event) => `${event} on ${table}`)),
  'insert on audit',
];

/** Counts what is watched as it changes; a transaction that is rolled back takes its counts with it. */
const countChanges = (raw: Database): (() => unknown) => {
  raw.run('create temp table watched (changes integer)');
  raw.run('insert into watched values (0)');
  for (const [index, event] of WATCHED.entries())
    raw.run(`create temp trigger watch_${index} after ${event} begin update watched set changes = changes + 1; end`);
  const changes = raw.prepare('select changes from watched');
  return () => changes.values()[0]?.[0];
};

export const simulatedDatabase = ({ image, faults, onCommit }: DatabaseIo): SimulatedDatabase => {
  const raw = Database.deserialize(image);
  raw.run('pragma foreign_keys = on');
  const changes = countChanges(raw);
  let seen = changes();
  const rollBack = () => {
    if (raw.inTransaction) raw.run('rollback');
  };
  const commit = (life: Life, run: () => unknown) => {
    if (faults.strikes('commit-fails', 0.01)) {
      rollBack();
      throw Object.assign(new Error('SQLITE_FULL: simulated'), { code: 'SQLITE_FULL' });
    }
    const answer = run();
    const now = changes();
    if (now !== seen) onCommit();
    seen = now;
    life.pass();
    return answer;
  };
  return {
    raw,
    openedBy: (life) => {
      life.onEnd(rollBack);
      return {
        close: () => {},
        prepare: (sql) => {
          const statement = raw.prepare(sql);
          const pass = <Answer>(run: () => Answer): Answer => {
            life.pass();
            return run();
          };
          return {
            columnNames: statement.columnNames,
            all: (...parameters) => pass(() => statement.all(...parameters)),
            run: (...parameters) =>
              sql === 'commit'
                ? pass(() => {
                    commit(life, () => statement.run(...parameters));
                    return { changes: 0, lastInsertRowid: 0 };
                  })
                : pass(() => statement.run(...parameters)),
            iterate: (...parameters) => pass(() => statement.iterate(...parameters)),
            finalize: () => statement.finalize(),
          };
        },
      };
    },
  };
};
