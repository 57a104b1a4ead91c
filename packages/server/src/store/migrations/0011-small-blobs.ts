/** Small results that came with their report: in the database, with the row that speaks of them. */
import type { Kysely } from 'kysely';

/** SQLite says `blob`, PostgreSQL `bytea`. */
export const smallBlobsMigration = (bytes: 'blob' | 'bytea') => ({
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable('small_blobs')
      .addColumn('sha256', 'text', (column) => column.primaryKey())
      .addColumn('content', bytes, (column) => column.notNull())
      .execute();
  },
});
