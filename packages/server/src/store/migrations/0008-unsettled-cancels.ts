/** What a device that comes back has to settle: also a cancel that it never confirmed, however long ago that was. */
import { type Kysely, sql } from 'kysely';

export const unsettledCancelsMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql`create index actions_unconfirmed on actions (machine_id, seq) where cancellation_state in ('Requested', 'Acknowledged')`.execute(
      db,
    );
  },
};
