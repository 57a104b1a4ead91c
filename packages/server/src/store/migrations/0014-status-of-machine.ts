/**
 * One machine's actions of one status are found among its own, which are few: an index of their own cost each action three
 * more pages, at its request and at both changes of its status.
 */
import { type Kysely, sql } from 'kysely';

export const statusOfMachineMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql`drop index actions_of_machine_by_status`.execute(db);
    // made anew: of two indexes that promise as little, SQLite takes the newest, and actions of one status are many
    await sql`drop index actions_of_machine`.execute(db);
    await sql`create index actions_of_machine on actions (tenant_id, machine_id, created_at, seq)`.execute(db);
  },
};
