/**
 * The disk under the server's database: real SQLite in WAL mode, on files in memory. A commit is in the log at once, and
 * on this disk when the log has been synced; a power cut leaves what was synced, and of what came after it any beginning.
 */
import { Database, type Statement } from 'bun:sqlite';
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from './random.ts';

type Side = 'writer' | 'reader';

export type DatabaseDisk = {
  /** The connection that writes; another one after a power cut. */
  readonly writer: () => Database;
  /** Prepared once for all runs of the server, until the power is cut. */
  readonly prepare: (side: Side, sql: string) => Statement;
  /** Bytes that the log has now. */
  readonly logBytes: () => number;
  /** That much of the log is on the disk. */
  readonly markSynced: (logBytes: number) => void;
  /** Takes back what was not synced, some or all of it; true when there was something. */
  readonly losePower: () => boolean;
  /** Leaves no file behind. */
  readonly close: () => void;
};

type DiskIo = {
  /** A database at the present version, as `serialize` gave it. */
  readonly image: Uint8Array;
  readonly random: Random;
  /** The connection that writes has been opened. */
  readonly onOpened: (writer: Database) => void;
};

/** Memory where there is such a folder. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Where the header of a database says which journal it has, and how it says WAL (https://www.sqlite.org/fileformat.html). */
const JOURNAL_MODE = { offset: 18, wal: [2, 2] } as const;

const walImage = (image: Uint8Array): Uint8Array => {
  const copy = image.slice();
  copy.set(JOURNAL_MODE.wal, JOURNAL_MODE.offset);
  return copy;
};

const openFile = (file: string) => {
  const writer = new Database(file);
  // what the disk has is for this file to say, and all of it lies in the log
  writer.run('pragma synchronous = off');
  writer.run('pragma wal_autocheckpoint = 0');
  writer.run('pragma foreign_keys = on');
  writer.run('pragma temp_store = memory');
  const reader = new Database(file);
  const kept = { writer: new Map<string, Statement>(), reader: new Map<string, Statement>() };
  return {
    writer,
    prepare: (side: Side, sql: string): Statement => {
      const known = kept[side].get(sql);
      if (known !== undefined) return known;
      const statement = (side === 'writer' ? writer : reader).prepare(sql);
      kept[side].set(sql, statement);
      return statement;
    },
    close: () => {
      for (const statements of Object.values(kept)) for (const statement of statements.values()) statement.finalize();
      reader.close();
      writer.close();
    },
  };
};

export const databaseDisk = ({ image, random, onOpened }: DiskIo): DatabaseDisk => {
  const folder = mkdtempSync(join(FOLDER, 'longarm-sim-'));
  const whole = walImage(image);
  let openings = 0;
  const fileOf = (opening: number) => join(folder, `${opening}.db`);
  const logOf = (opening: number) => `${fileOf(opening)}-wal`;
  const logBytes = () => statSync(logOf(openings), { throwIfNoEntry: false })?.size ?? 0;
  writeFileSync(fileOf(openings), whole);
  let open = openFile(fileOf(openings));
  let syncedBytes = 0;
  onOpened(open.writer);
  return {
    writer: () => open.writer,
    prepare: (side, sql) => open.prepare(side, sql),
    logBytes,
    markSynced: (bytes) => {
      syncedBytes = Math.max(syncedBytes, bytes);
    },
    losePower: () => {
      const had = logBytes();
      if (had === syncedBytes) return false;
      const kept = random.chance(0.5) ? syncedBytes : random.int(syncedBytes, had);
      // nothing but the log was ever written; closing would move it into the database
      writeFileSync(fileOf(openings + 1), whole);
      copyFileSync(logOf(openings), logOf(openings + 1));
      truncateSync(logOf(openings + 1), kept);
      open.close();
      openings++;
      syncedBytes = kept;
      open = openFile(fileOf(openings));
      onOpened(open.writer);
      return true;
    },
    close: () => {
      open.close();
      rmSync(folder, { recursive: true });
    },
  };
};
