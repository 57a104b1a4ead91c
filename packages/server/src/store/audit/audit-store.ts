/** The audit in the store: its pages, in order, and its head. Entries are written in the units of what they tell of. */
import { AUDIT_PAGE_ENTRIES, NO_AUDIT_HASH } from '@longarm/contract/audit/audit-entry';
import { AUDIT_CHECKPOINT_EVENT, type AuditCheckpoint } from '@longarm/contract/audit/checkpoint';
import type { Kysely } from 'kysely';
import type { AuditStore } from '../../audit/ports.ts';
import type { Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { settleAudit, writeAudit } from '../write-audit.ts';

const headOf = async (db: Kysely<Schema>) => {
  const head = await db.selectFrom('audit_head').select(['seq', 'hash']).where('id', '=', 1).executeTakeFirst();
  return { sequence: Number(head?.seq ?? 0), hash: head?.hash ?? NO_AUDIT_HASH };
};

/** Entries and head of one moment, whatever is written meanwhile. */
export const readAuditPage = (reader: Kysely<Schema>, after: number): ReturnType<AuditStore['page']> =>
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

const writeCheckpoint = async (
  db: Kysely<Schema>,
  { tenantId, at, sign }: Parameters<AuditStore['checkpoint']>[0],
): Promise<AuditCheckpoint | null> => {
  await settleAudit(db);
  const head = await headOf(db);
  const last = await db.selectFrom('audit').select('event').where('seq', '=', head.sequence).executeTakeFirst();
  if (last === undefined || last.event === AUDIT_CHECKPOINT_EVENT) return null;
  const checkpoint = sign({ ...head, at });
  const subject = `entry ${head.sequence}`;
  await writeAudit(db, { tenantId, at, actor: 'server', event: AUDIT_CHECKPOINT_EVENT, subject, detail: checkpoint });
  return checkpoint;
};

export const auditStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): AuditStore => ({
  page: (after) => readAuditPage(reader, after),
  checkpoint: (by) => units.run((db) => writeCheckpoint(db, by)),
  append: (entries) =>
    units.run(async (db) => {
      for (const entry of entries) await writeAudit(db, entry);
    }),
});
