/** Audit entries, in the transaction of the change that they tell of, each chained to the entry before it. */
import type { Kysely, Selectable } from 'kysely';
import type { NewAuditEntry } from '../audit/ports.ts';
import { auditHash } from './audit-hash.ts';
import { firstOf, prepared } from './prepared.ts';
import type { AuditRow, Schema } from './schema.ts';

/** Locks the head where units run side by side (PostgreSQL), so that nobody else follows on the same entry. */
const takeSequences = prepared((db, given: { readonly count: number }) =>
  db
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb('seq', '+', given.count) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash']),
);

const insertEntry = prepared((db, row: Selectable<AuditRow>) => db.insertInto('audit').values(row));

const moveHead = prepared((db, given: { readonly hash: string }) =>
  db.updateTable('audit_head').set({ hash: given.hash }).where('id', '=', 1),
);

const detailOf = ({ detail, origin }: NewAuditEntry): string =>
  JSON.stringify({ ...detail, ...(origin === undefined ? {} : { origin }) });

/** In their order; nothing for none. */
export const writeAuditEntries = async (db: Kysely<Schema>, entries: readonly NewAuditEntry[]): Promise<void> => {
  if (entries.length === 0) return;
  const head = await firstOf(takeSequences(db, { count: entries.length }));
  if (head === undefined) throw new Error('the audit has no head');
  let previous = head.hash;
  let seq = Number(head.seq) - entries.length;
  for (const entry of entries) {
    seq++;
    const { tenantId, at, actor, event, subject } = entry;
    const row = { seq, tenant_id: tenantId, at, actor, event, subject, detail: detailOf(entry), previous };
    const hash = auditHash(row);
    await insertEntry(db, { ...row, hash });
    previous = hash;
  }
  await moveHead(db, { hash: previous });
};

export const writeAudit = (db: Kysely<Schema>, entry: NewAuditEntry): Promise<void> => writeAuditEntries(db, [entry]);
