/**
 * The server's database: what one run of the server sees of the disk, and the sync of its log, which takes its time and
 * may fail while everything else goes on. Truth is what is on the disk, so that is when it is looked at.
 */
import type { Database } from 'bun:sqlite';
import type { SqliteConnection } from '@longarm/server/store/bun-sqlite-dialect';
import { type LogSync, syncedBy } from '@longarm/server/store/log-sync';
import { databaseDisk } from './database-disk.ts';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';
import { FIND_TOUCHED, FORGET_TOUCHED, noteTouched } from './touched.ts';

export type SimulatedDatabase = {
  /** For invariants, and for breaking things on purpose: no run of the server is asked. */
  readonly raw: () => Database;
  readonly openedBy: (life: Life) => {
    readonly writer: SqliteConnection;
    readonly reader: SqliteConnection;
    readonly log: LogSync;
  };
  /** The server's power is cut: what is not on the disk may be gone. To be called when its run is over. */
  readonly losePower: () => void;
  readonly close: () => void;
};

type DatabaseIo = {
  /** A database at the present version, as `serialize` gave it. */
  readonly image: Uint8Array;
  readonly faults: Faults;
  readonly random: Random;
  readonly onOpened: (writer: Database) => void;
  /** The disk has something new of these actions; null: of whatever there is. */
  readonly onDurable: (ids: readonly string[] | null) => void;
};

type Prepared = ReturnType<SqliteConnection['prepare']>;
type Pass = <Answer>(run: () => Answer) => Answer;

const EMPTY = { changes: 0, lastInsertRowid: 0 };

/** How long the disk takes, milliseconds. */
const syncMs = ({ faults, random }: DatabaseIo, isAboutActions: boolean): number =>
  faults.strikes('log-sync-slow', isAboutActions ? 0.15 : 0.01) ? random.int(50, 3_000) : random.int(0, 3);
/** A server whose disk has failed it is started again by somebody within this time, milliseconds. */
const LONGEST_BROKEN_MS = 60_000;

export const simulatedDatabase = (io: DatabaseIo): SimulatedDatabase => {
  const { image, faults, random } = io;
  const onOpened = (writer: Database) => {
    noteTouched(writer);
    io.onOpened(writer);
  };
  const disk = databaseDisk({ image, random: random.fork(), onOpened });
  /** Rows that were forgotten of what was noted: nobody wrote them. */
  let forgotten = 0;
  const total = () => Number(disk.prepare('writer', 'select total_changes()').values()[0]?.[0]);
  const changes = () => total() - forgotten;
  const rollBack = () => {
    if (disk.writer().inTransaction) disk.writer().run('rollback');
  };
  const losePower = () => {
    if (!disk.losePower()) return;
    faults.count('commit-lost');
    io.onDurable(null);
  };
  const touched = () =>
    disk
      .prepare('writer', FIND_TOUCHED)
      .values()
      .map(([id]) => `${id}`);
  const settle = (logBytes: number, ids: readonly string[]) => {
    disk.markSynced(logBytes);
    if (ids.length === 0) return;
    const before = total();
    disk.prepare('writer', FORGET_TOUCHED).run();
    forgotten += total() - before;
    io.onDurable(ids);
  };
  const commit = (statement: Prepared) => {
    if (faults.strikes('commit-fails', 0.01)) {
      rollBack();
      throw Object.assign(new Error('SQLITE_FULL: simulated'), { code: 'SQLITE_FULL' });
    }
    statement.run();
  };
  const connection = (side: 'writer' | 'reader', life: Life): SqliteConnection => {
    const pass: Pass = (run) => {
      life.pass();
      return run();
    };
    const committing = (statement: Prepared) => {
      commit(statement);
      life.pass();
      return EMPTY;
    };
    return {
      close: () => {},
      prepare: (sql) => {
        const statement = disk.prepare(side, sql);
        return {
          columnNames: statement.columnNames,
          all: (...parameters) => pass(() => statement.all(...parameters)),
          run: (...parameters) => pass(() => (sql === 'commit' ? committing(statement) : statement.run(...parameters))),
          iterate: (...parameters) => pass(() => statement.iterate(...parameters)),
          finalize: () => {},
        };
      },
    };
  };
  const log = (life: Life): LogSync => {
    // as the product does when it opens the log
    settle(disk.logBytes(), touched());
    const sync = async () => {
      const logBytes = disk.logBytes();
      // a heartbeat that waits, or is lost, shows little
      const ids = touched();
      const isAboutActions = ids.length > 0;
      await life.sleep(syncMs(io, isAboutActions));
      life.pass();
      if (faults.strikes('log-sync-fails', isAboutActions ? 0.015 : 0.001)) {
        life.onEnd(losePower);
        life.after(random.int(0, LONGEST_BROKEN_MS), life.end);
        throw new Error('EIO: simulated');
      }
      settle(logBytes, ids);
      life.pass();
    };
    return { ...syncedBy(sync, changes), close: () => {} };
  };
  return {
    raw: disk.writer,
    openedBy: (life) => {
      life.onEnd(rollBack);
      return { writer: connection('writer', life), reader: connection('reader', life), log: log(life) };
    },
    losePower,
    close: disk.close,
  };
};
