import type { AdminAnswer, AdminDoor } from '@longarm/contract/admin/operations';
import type { Io } from './io.ts';

/** What the `longarm` program is put together from. */
export type LongarmParts = {
  /** Runs the server until it is stopped; its exit code. Gets the arguments behind `server`, untouched. */
  readonly runServer: (argv: readonly string[]) => Promise<number>;
  /** Runs simulated agents on a server; the exit code. Gets the arguments behind `bench fleet`, untouched. */
  readonly runFleet: (argv: readonly string[]) => Promise<number>;
  /** The administration of a data folder, whether or not a server has it open. */
  readonly openAdmin: (dataFolder: string) => Promise<AdminDoor>;
  /** The audit of a copy of a database file: read, and nothing else. */
  readonly openAuditFile: (file: string) => Promise<{
    readonly page: (after: number) => Promise<AdminAnswer<'readAudit'>>;
    readonly close: () => Promise<void>;
  }>;
  readonly io: Io;
};
