/** One audit entry, in the transaction of the change that it tells of, chained to the entry before it. */
import type { Kysely } from 'kysely';
import type { NewAuditEntry } from '../audit/ports.ts';
import { auditHash } from './audit-hash.ts';
import type { Schema } from './schema.ts';

export const writeAudit = async (db: Kysely<Schema>, entry: NewAuditEntry): Promise<void> => {
  const { origin } = entry;
  // the update locks the head where units run side by side (PostgreSQL), so that nobody else follows on the same entry
  const { seq, hash: previous } = await db
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb('seq', '+', 1) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow();
  const row = {
    seq: Number(seq),
    tenant_id: entry.tenantId,
    at: entry.at,
    actor: entry.actor,
    event: entry.event,
    subject: entry.subject,
    detail: JSON.stringify({ ...entry.detail, ...(origin === undefined ? {} : { origin }) }),
    previous,
  };
  const hash = auditHash(row);
  await db
    .insertInto('audit')
    .values({ ...row, hash })
    .execute();
  await db.updateTable('audit_head').set({ hash }).where('id', '=', 1).execute();
};
