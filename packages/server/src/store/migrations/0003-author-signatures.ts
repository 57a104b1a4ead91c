/** Author signatures lie with the library file, and are pinned with it by the commands that name it. */
import type { Kysely } from 'kysely';

export const authorSignaturesMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .alterTable('library_files')
      .addColumn('signatures', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute();
    await db.schema
      .alterTable('commands')
      .addColumn('file_signatures', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute();
  },
};
