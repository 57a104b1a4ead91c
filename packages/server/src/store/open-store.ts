/**
 * The embedded store: one SQLite file in WAL mode, whose log is synced before a commit is answered (log-sync.ts). One
 * connection writes, through the unit queue; another one reads, and tells nothing that a power cut could take back.
 */
import { Database } from 'bun:sqlite';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { LockdownStore } from '../actions/lockdown-ports.ts';
import type { ActionStore, Clock, ResultStore } from '../actions/ports.ts';
import type { AuditStore } from '../audit/ports.ts';
import type { GrantStore } from '../auth/grant-ports.ts';
import type { IssuerStore } from '../auth/issuer-ports.ts';
import type { PeopleStore } from '../auth/people-ports.ts';
import type { AccessStore, CredentialStore } from '../auth/ports.ts';
import type { SecondFactorStore } from '../auth/second-factor-ports.ts';
import type { LibraryStore } from '../library/ports.ts';
import type { GroupStore, MachineStore } from '../machines/ports.ts';
import { accessStore } from './access/access-store.ts';
import { credentialStore } from './access/credential-store.ts';
import { grantStore } from './access/grant-store.ts';
import { issuerStore } from './access/issuer-store.ts';
import { peopleStore } from './access/people-store.ts';
import { secondFactorStore } from './access/second-factor-store.ts';
import { actionStore } from './actions/action-store.ts';
import { lockdownStore } from './actions/lockdown-store.ts';
import type { EnvelopeMaker } from './actions/make-envelope.ts';
import { resultStore } from './actions/result-rows.ts';
import { auditStore } from './audit/audit-store.ts';
import { bunSqliteDialect, type DialectTerms, type SqliteConnection } from './bun-sqlite-dialect.ts';
import { groupStore } from './groups/group-store.ts';
import { libraryStore } from './library/library-store.ts';
import { type LogSync, logSync } from './log-sync.ts';
import { machineStore } from './machines/machine-store.ts';
import { firstMigration } from './migrations/0001-first.ts';
import { auditChainMigration } from './migrations/0002-audit-chain.ts';
import { authorSignaturesMigration } from './migrations/0003-author-signatures.ts';
import { devicesMigration } from './migrations/0004-devices.ts';
import { permissionMigration } from './migrations/0005-permission.ts';
import { callersMigration } from './migrations/0006-callers.ts';
import { actionListsMigration } from './migrations/0007-action-lists.ts';
import { unsettledCancelsMigration } from './migrations/0008-unsettled-cancels.ts';
import { deviceKeysMigration } from './migrations/0009-device-keys.ts';
import { securityKeysMigration } from './migrations/0010-security-keys.ts';
import { smallBlobsMigration } from './migrations/0011-small-blobs.ts';
import { reachableActionsMigration } from './migrations/0012-reachable-actions.ts';
import { fewerIndexesMigration } from './migrations/0013-fewer-indexes.ts';
import { statusOfMachineMigration } from './migrations/0014-status-of-machine.ts';
import { nextTurn } from './next-turn.ts';
import type { Schema } from './schema.ts';
import { countMachines, readStatistics, type Statistics } from './statistics.ts';
import { type UnitWatch, unitQueue } from './unit-queue.ts';
import { auditAtTheEnd } from './write-audit.ts';

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
  readonly credentials: CredentialStore;
  readonly people: PeopleStore;
  readonly secondFactors: SecondFactorStore;
  readonly issuers: IssuerStore;
  readonly grants: GrantStore;
  readonly statistics: () => Promise<Statistics>;
  /** Devices that may connect, at a glance through all of them. */
  readonly machineCount: () => Promise<number>;
  readonly close: () => Promise<void>;
};

export type StoreIo = {
  readonly file: string;
  readonly clock: Clock;
  readonly envelopes: EnvelopeMaker;
  readonly watch?: UnitWatch | undefined;
};

/** Pages of the log (of 4 KiB) after which a commit moves them into the database, and holds the event loop meanwhile. */
const CHECKPOINT_PAGES = 4_000;

const openDatabase = (file: string): Database => {
  const database = new Database(file, { create: true, strict: true });
  database.run('pragma journal_mode = wal');
  // a commit reaches the log, and the log the disk by log-sync.ts
  database.run('pragma synchronous = normal');
  database.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.run('pragma foreign_keys = on');
  database.run(`pragma busy_timeout = ${BUSY_MS}`);
  return database;
};

const kyselyOver = (connection: SqliteConnection, terms: DialectTerms = {}): Kysely<Schema> =>
  new Kysely<Schema>({ dialect: bunSqliteDialect(connection, terms) });

/** Brings a database's schema to this version. */
export const migrate = async (connection: SqliteConnection): Promise<void> => {
  const migrator = new Migrator({
    db: kyselyOver(connection),
    // a folder may have been opened by a version between two that were made side by side
    allowUnorderedMigrations: true,
    provider: {
      getMigrations: () =>
        Promise.resolve({
          '0001-first': firstMigration('integer'),
          '0002-audit-chain': auditChainMigration,
          '0003-author-signatures': authorSignaturesMigration,
          '0004-devices': devicesMigration,
          '0005-permission': permissionMigration('integer'),
          '0006-callers': callersMigration,
          '0007-action-lists': actionListsMigration,
          '0008-unsettled-cancels': unsettledCancelsMigration,
          '0009-device-keys': deviceKeysMigration,
          '0010-security-keys': securityKeysMigration,
          '0011-small-blobs': smallBlobsMigration('blob'),
          '0012-reachable-actions': reachableActionsMigration,
          '0013-fewer-indexes': fewerIndexesMigration,
          '0014-status-of-machine': statusOfMachineMigration,
        }),
    },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error('the store could not be brought to this version', { cause: error });
};

/** The store over two connections to one database of this version, or over one that serves as both. */
export const storeOver = (
  connections: { readonly writer: SqliteConnection; readonly reader: SqliteConnection },
  io: Pick<StoreIo, 'clock' | 'envelopes' | 'watch'> & {
    /** Comes round once: what arrived together has asked for its unit. The event loop's own turn when left out. */
    readonly turn?: () => Promise<void>;
    /** Where a commit does not reach the disk by itself. */
    readonly log?: LogSync;
  },
): Store => {
  const { turn = nextTurn, log } = io;
  const writer = kyselyOver(connections.writer);
  const isOne = connections.reader === connections.writer;
  const readerTerms = log === undefined ? { isShared: true } : { isShared: true, settled: log.pending };
  const reader = isOne ? writer : kyselyOver(connections.reader, readerTerms);
  const units = unitQueue(writer, 'begin immediate', {
    turn,
    watch: io.watch,
    durably: log?.durably,
    end: auditAtTheEnd,
  });
  return {
    actions: actionStore({ units, reader, envelopes: io.envelopes, turn }),
    results: resultStore(units, reader),
    machines: machineStore({ units, reader, turn }),
    groups: groupStore(units, reader),
    library: libraryStore(units, reader),
    lockdown: lockdownStore(units, reader),
    audit: auditStore(units, reader),
    access: accessStore(units, reader, io.clock),
    credentials: credentialStore(units, reader),
    people: peopleStore(units, reader),
    secondFactors: secondFactorStore(units, reader),
    issuers: issuerStore(units, reader),
    grants: grantStore(units, reader),
    statistics: () => readStatistics(reader),
    machineCount: () => countMachines(reader),
    close: async () => {
      await units.close();
      await reader.destroy();
      await writer.destroy();
      log?.close();
    },
  };
};

/** Rows written by this connection so far. */
export const changesOf = (database: Database): (() => number) => {
  const total = database.prepare<{ readonly total: number }, []>('select total_changes() as total');
  return () => total.get()?.total ?? 0;
};

export const openStore = async (io: StoreIo): Promise<Store> => {
  const writer = openDatabase(io.file);
  await migrate(writer);
  const reader = openDatabase(io.file);
  return storeOver({ writer, reader }, { ...io, log: logSync(io.file, changesOf(writer)) });
};
