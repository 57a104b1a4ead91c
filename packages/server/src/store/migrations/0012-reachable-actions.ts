/**
 * Whether an action's machine is connected, in the action's own row while it waits: what can be served now is found by
 * an index, however many wait for machines that are away.
 */
import { type Kysely, sql } from 'kysely';

export const reachableActionsMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql`alter table actions add column is_reachable integer not null default 0`.execute(db);
    // a server disconnects all machines when it starts, so none is reachable before one connects
    await sql`create index actions_ready on actions (seq) where status = 'Pending' and is_reachable = 1`.execute(db);
  },
};
