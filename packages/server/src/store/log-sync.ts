/**
 * Puts commits on the disk without standing still for it. SQLite's own sync at each commit (`synchronous = FULL`) blocks
 * the event loop for as long as the disk takes. With NORMAL a commit only writes to the log; the log is synced here, on
 * another thread, before anybody hears of the commit: FULL's own promise, once for all units of a group. SQLite itself
 * syncs the log before it moves pages into the database (https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** What was committed may or may not reach the disk: nobody can tell, so nothing goes on from here. */
export class LogFault extends Error {
  override readonly name = 'LogFault';

  constructor(cause: unknown) {
    super('the disk did not take what was written: look at it, then start the server again', { cause });
  }
}

export type LogSync = {
  /** Runs a commit and puts it on the disk. Rejects with what the commit says, or with a LogFault. */
  readonly durably: (commit: () => Promise<void>) => Promise<void>;
  /**
   * Resolves when what is being committed now is settled; null when nothing is. Rejects once there was a LogFault, for
   * good: what the log has may be gone after a power cut, so that nothing of it is told any more.
   */
  readonly pending: () => Promise<void> | null;
  readonly close: () => void;
};

const syncData = promisify(fdatasync);

/** The file's name in its folder survives a power cut from now on. */
const syncFolder = (file: string): void => {
  // Windows opens no folder, and needs no such sync
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

/** `sync` puts on the disk what was committed; `changes` counts what was written: a commit of nothing needs no sync. */
export const syncedBy = (sync: () => Promise<void>, changes: () => number): Pick<LogSync, 'durably' | 'pending'> => {
  let pending: Promise<void> | null = null;
  let synced = changes();
  return {
    durably: async (commit) => {
      const written = changes();
      if (written === synced) return commit();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // where nobody reads, the writer alone hears of a fault
      promise.catch(() => undefined);
      pending = promise;
      try {
        await commit();
      } catch (cause) {
        pending = null;
        resolve();
        throw cause;
      }
      try {
        await sync();
      } catch (cause) {
        const fault = new LogFault(cause);
        reject(fault);
        throw fault;
      }
      synced = written;
      pending = null;
      resolve();
    },
    pending: () => pending,
  };
};

/**
 * `database` is open in WAL mode, so that its log is there, and stays the same file for as long as it is.
 * `changes`: rows written so far by the connection that commits; a commit of nothing needs no sync.
 */
export const logSync = (database: string, changes: () => number): LogSync => {
  const file = `${database}-wal`;
  // Windows flushes only what is open for writing
  const descriptor = openSync(file, 'r+');
  syncFolder(file);
  // a run before this one may have ended between a commit and its sync, and this one tells what it reads
  fdatasyncSync(descriptor);
  return { ...syncedBy(() => syncData(descriptor), changes), close: () => closeSync(descriptor) };
};
