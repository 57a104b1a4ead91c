/** An index that no query goes by any more costs each request a page: what is asked by machine goes by those of 0007. */
import { type Kysely, sql } from 'kysely';

export const fewerIndexesMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql`drop index actions_by_machine`.execute(db);
  },
};
