/** Security keys of people (WebAuthn), and who has to have a second factor. */
import { type Kysely, sql } from 'kysely';

export const securityKeysMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable('security_keys')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('person_id', 'text', (column) => column.notNull().references('people.id').onDelete('cascade'))
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('counter', 'bigint', (column) => column.notNull())
      .addColumn('transports', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('last_used_at', 'bigint')
      .execute();
    await sql`create index security_keys_of on security_keys (person_id)`.execute(db);
    await sql`alter table people add column second_factor_required integer not null default 0`.execute(db);
  },
};
