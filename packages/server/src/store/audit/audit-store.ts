/** The audit in the store: its pages, in order, and its head. Entries are written in the units of what they tell of. */
import { AUDIT_PAGE_ENTRIES, NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import type { Kysely } from 'kysely';
import type { AuditStore } from '../../audit/ports.ts';
import type { Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

const headOf = async (db: Kysely<Schema>) => {
  const head = await db.selectFrom('audit_head').select(['seq', 'hash']).where('id', '=', 1).executeTakeFirst();
  return { sequence: Number(head?.seq ?? 0), hash: head?.hash ?? NO_AUDIT_HASH };
};

/** Entries and head of one moment, whatever is written meanwhile. */
const readAuditPage = (reader: Kysely<Schema>, after: number): ReturnType<AuditStore['page']> =>
  reader.transaction().execute(async (db) => {
    const head = await headOf(db);
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(AUDIT_PAGE_ENTRIES)
      .execute();
    const entries = rows.map(({ seq, tenant_id, ...entry }) => ({
      ...entry,
      sequence: Number(seq),
      tenantId: tenant_id,
    }));
    return { entries, head, isLast: rows.length < AUDIT_PAGE_ENTRIES };
  });

export const auditStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): AuditStore => ({
  page: (after) => readAuditPage(reader, after),
  append: (entries) =>
    units.run(async (db) => {
      for (const entry of entries) await writeAudit(db, entry);
    }),
});
