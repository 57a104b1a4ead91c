/**
 * The embedded store: one SQLite file in WAL mode with synchronous FULL, so that a commit that was answered is on
 * the disk. One connection writes, through the unit queue; another one reads.
 */
import { Database } from 'bun:sqlite';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { LockdownStore } from '../actions/lockdown-ports.ts';
import type { ActionStore, Clock, ResultStore } from '../actions/ports.ts';
import type { AuditStore } from '../audit/ports.ts';
import type { AccessStore } from '../auth/ports.ts';
import type { LibraryStore } from '../library/ports.ts';
import type { GroupStore, MachineStore } from '../machines/ports.ts';
import { accessStore } from './access/access-store.ts';
import { actionStore } from './actions/action-store.ts';
import { lockdownStore } from './actions/lockdown-store.ts';
import type { EnvelopeMaker } from './actions/make-envelope.ts';
import { resultStore } from './actions/result-rows.ts';
import { auditStore } from './audit/audit-store.ts';
import { bunSqliteDialect } from './bun-sqlite-dialect.ts';
import { groupStore } from './groups/group-store.ts';
import { libraryStore } from './library/library-store.ts';
import { machineStore } from './machines/machine-store.ts';
import { firstMigration } from './migrations/0001-first.ts';
import { auditChainMigration } from './migrations/0002-audit-chain.ts';
import { authorSignaturesMigration } from './migrations/0003-author-signatures.ts';
import { permissionMigration } from './migrations/0005-permission.ts';
import type { Schema } from './schema.ts';
import { unitQueue } from './unit-queue.ts';

/** Milliseconds that a connection waits for another process's lock: the command line opens the same file at times. */
const BUSY_MS = 10_000;

export type Store = {
  readonly actions: ActionStore;
  readonly results: ResultStore;
  readonly machines: MachineStore;
  readonly groups: GroupStore;
  readonly library: LibraryStore;
  readonly lockdown: LockdownStore;
  readonly audit: AuditStore;
  readonly access: AccessStore;
  readonly close: () => Promise<void>;
};

export type StoreIo = { readonly file: string; readonly clock: Clock; readonly envelopes: EnvelopeMaker };

const openDatabase = (file: string): Database => {
  const database = new Database(file, { create: true, strict: true });
  database.run('pragma journal_mode = wal');
  database.run('pragma synchronous = full');
  database.run('pragma foreign_keys = on');
  database.run(`pragma busy_timeout = ${BUSY_MS}`);
  return database;
};

/** Brings the store's schema to this version. */
const migrate = async (writer: Kysely<Schema>) => {
  const migrator = new Migrator({
    db: writer,
    // a folder may have been opened by a version between two that were made side by side
    allowUnorderedMigrations: true,
    provider: {
      getMigrations: () =>
        Promise.resolve({
          '0001-first': firstMigration('integer'),
          '0002-audit-chain': auditChainMigration,
          '0003-author-signatures': authorSignaturesMigration,
          '0005-permission': permissionMigration('integer'),
        }),
    },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error('the store could not be brought to this version', { cause: error });
};

/** The store over two connections to one database, or over one that serves as both. */
const storeOver = (
  { writer, reader }: { readonly writer: Kysely<Schema>; readonly reader: Kysely<Schema> },
  io: Pick<StoreIo, 'clock' | 'envelopes'>,
): Store => {
  const units = unitQueue(writer, 'begin immediate');
  return {
    actions: actionStore({ units, reader, envelopes: io.envelopes }),
    results: resultStore(units, reader),
    machines: machineStore(units, reader),
    groups: groupStore(units, reader),
    library: libraryStore(units, reader),
    lockdown: lockdownStore(units, reader),
    audit: auditStore(units, reader),
    access: accessStore(units, reader, io.clock),
    close: async () => {
      await units.close();
      await reader.destroy();
      await writer.destroy();
    },
  };
};

export const openStore = async (io: StoreIo): Promise<Store> => {
  const writer = new Kysely<Schema>({ dialect: bunSqliteDialect(openDatabase(io.file)) });
  await migrate(writer);
  const reader = new Kysely<Schema>({ dialect: bunSqliteDialect(openDatabase(io.file)) });
  return storeOver({ writer, reader }, io);
};
