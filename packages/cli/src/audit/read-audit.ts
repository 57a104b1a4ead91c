import type { AdminAnswer, AdminDoor } from '@longarm/contract/admin/operations';
import type { AuditEntry, AuditHead } from '@longarm/contract/audit/audit-entry';

/** Entries behind one, some of them, from wherever they are. */
export type AuditPages = (after: number) => Promise<AdminAnswer<'readAudit'>>;

/** One page of entries; `head` is set with the last one. */
export type AuditPage = { readonly entries: readonly AuditEntry[]; readonly head: AuditHead | null };

export const auditOf =
  (door: AdminDoor): AuditPages =>
  (after) =>
    door.call('readAudit', { after });

/** Entries behind `start` (0: all), page by page, in order: memory is that of one page. */
export async function* readAudit(pages: AuditPages, start = 0): AsyncGenerator<AuditPage> {
  let after = start;
  for (;;) {
    const { entries, head, isLast } = await pages(after);
    yield { entries, head: isLast ? head : null };
    const last = entries.at(-1);
    if (isLast || last === undefined) return;
    after = last.sequence;
  }
}
