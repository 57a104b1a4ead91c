/** Keys of devices that follow one another under one machine id, and which authorities each device believes. */
import type { Kysely } from 'kysely';

export const deviceKeysMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    // JSON list of SHA-256; null until the device has told
    await db.schema.alterTable('machines').addColumn('trusted_authorities', 'text').execute();
    await db.schema
      .alterTable('machines')
      .addColumn('key_number', 'integer', (column) => column.notNull().defaultTo(1))
      .execute();
    // the one before: refused, and told from a stranger's
    await db.schema.alterTable('machines').addColumn('former_public_key', 'text').execute();
    // since when the administrator wants another key
    await db.schema.alterTable('machines').addColumn('key_wanted_at', 'bigint').execute();
  },
};
