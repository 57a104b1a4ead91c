/**
 * Audit entries, in the transaction of the change that they tell of, each chained to the entry before it. Those of a group of
 * units are chained and written together at its end: a device's report alone has three of them.
 */
import type { Kysely, Selectable } from 'kysely';
import type { NewAuditEntry } from '../audit/ports.ts';
import { auditHash } from './audit-hash.ts';
import { firstOf, prepared, preparedList } from './prepared.ts';
import type { AuditRow, Schema } from './schema.ts';
import { partsOf } from './together.ts';
import type { GroupEnd } from './unit-queue.ts';

/** Rows in one statement at most. */
const ROWS_AT_ONCE = 16;

/** Locks the head where units run side by side (PostgreSQL), so that nobody else follows on the same entry. */
const takeSequences = prepared((db, given: { readonly count: number }) =>
  db
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb('seq', '+', given.count) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash']),
);

type Row = Selectable<AuditRow>;

const insertRows = preparedList((db, rows: readonly Row[]) => db.insertInto('audit').values(rows));

const moveHead = prepared((db, given: { readonly hash: string }) =>
  db.updateTable('audit_head').set({ hash: given.hash }).where('id', '=', 1),
);

const detailOf = ({ detail, origin }: NewAuditEntry): string =>
  JSON.stringify({ ...detail, ...(origin === undefined ? {} : { origin }) });

/** Rows that follow on the entry of this hash; the first has the number after `seq`. */
const chained = (entries: readonly NewAuditEntry[], head: { readonly seq: number; readonly hash: string }): Row[] => {
  let { seq, hash: previous } = head;
  return entries.map((entry) => {
    seq++;
    const { tenantId, at, actor, event, subject } = entry;
    const row = { seq, tenant_id: tenantId, at, actor, event, subject, detail: detailOf(entry), previous };
    previous = auditHash(row);
    return { ...row, hash: previous };
  });
};

const writeAtOnce = async (db: Kysely<Schema>, entries: readonly NewAuditEntry[]): Promise<void> => {
  if (entries.length === 0) return;
  const head = await firstOf(takeSequences(db, { count: entries.length }));
  if (head === undefined) throw new Error('the audit has no head');
  const rows = chained(entries, { seq: Number(head.seq) - entries.length, hash: head.hash });
  for (const part of partsOf(rows, ROWS_AT_ONCE)) await insertRows(db, part, {});
  await moveHead(db, { hash: rows.at(-1)?.hash ?? head.hash });
};

/** What the units of a transaction have said so far, in their order; the first `written` of them are in rows. */
type Said = { readonly entries: NewAuditEntry[]; written: number };

/** By the transaction that is open. */
const open = new WeakMap<Kysely<Schema>, Said>();

/** Writes what waits in this transaction: for whoever reads the audit in it. */
export const settleAudit = async (db: Kysely<Schema>): Promise<void> => {
  const said = open.get(db);
  if (said === undefined) return;
  const waiting = said.entries.slice(said.written);
  said.written = said.entries.length;
  await writeAtOnce(db, waiting);
};

export const auditAtTheEnd: GroupEnd<Schema> = {
  begin: (db) => {
    open.set(db, { entries: [], written: 0 });
  },
  mark: (db) => {
    const said = open.get(db);
    const [length, written] = [said?.entries.length ?? 0, said?.written ?? 0];
    return () => {
      if (said === undefined) return;
      said.entries.length = length;
      // what was settled since is in rows that go with the unit's own
      said.written = written;
    };
  },
  finish: settleAudit,
};

/** In their order; nothing for none. At once where no group of units is open. */
export const writeAuditEntries = async (db: Kysely<Schema>, entries: readonly NewAuditEntry[]): Promise<void> => {
  const said = open.get(db);
  if (said === undefined) await writeAtOnce(db, entries);
  else said.entries.push(...entries);
};

export const writeAudit = (db: Kysely<Schema>, entry: NewAuditEntry): Promise<void> => writeAuditEntries(db, [entry]);
