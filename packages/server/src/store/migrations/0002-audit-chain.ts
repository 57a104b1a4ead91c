/**
 * The audit becomes a chain: every entry holds the hash of the one before, and the head is kept in one row. Entries
 * that were there are chained as they are. From here on the database itself refuses to change or delete an entry.
 */
import { NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import { type Kysely, sql } from 'kysely';
import { auditHash } from '../audit-hash.ts';
import type { Schema } from '../schema.ts';

/** What the database refuses by itself (SQLite); whoever may drop a trigger is found by the chain. */
const TRIGGERS = [
  `create trigger audit_is_not_changed before update on audit
   begin select raise(abort, 'the audit is append-only: an entry cannot be changed'); end`,
  `create trigger audit_is_not_deleted before delete on audit
   begin select raise(abort, 'the audit is append-only: an entry cannot be deleted'); end`,
  `create trigger audit_head_goes_on before update on audit_head when new.seq < old.seq
   begin select raise(abort, 'the head of the audit cannot go back'); end`,
  `create trigger audit_head_stays before delete on audit_head
   begin select raise(abort, 'the head of the audit cannot be deleted'); end`,
];

const chainWhatIsThere = async (db: Kysely<Schema>) => {
  const head = { seq: 0, hash: NO_AUDIT_HASH };
  for (;;) {
    const row = await db.selectFrom('audit').selectAll().where('seq', '>', head.seq).orderBy('seq').executeTakeFirst();
    if (row === undefined) break;
    const previous = head.hash;
    head.hash = auditHash({ ...row, previous });
    head.seq = row.seq;
    await db.updateTable('audit').set({ previous, hash: head.hash }).where('seq', '=', row.seq).execute();
  }
  await db
    .insertInto('audit_head')
    .values({ id: 1, ...head })
    .execute();
};

export const auditChainMigration = {
  up: async (db: Kysely<Schema>): Promise<void> => {
    for (const column of ['previous', 'hash'])
      await db.schema
        .alterTable('audit')
        .addColumn(column, 'text', (text) => text.notNull().defaultTo(''))
        .execute();
    await db.schema
      .createTable('audit_head')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('seq', 'bigint', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .execute();
    await chainWhatIsThere(db);
    for (const trigger of TRIGGERS) await sql.raw(trigger).execute(db);
  },
};
