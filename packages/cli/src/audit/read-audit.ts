import type { AdminDoor } from '@longarm/contract/admin/operations';
import type { AuditEntry, AuditHead } from '@longarm/contract/audit/audit-entry';

/** One page of entries; `head` is set with the last one. */
export type AuditPage = { readonly entries: readonly AuditEntry[]; readonly head: AuditHead | null };

/** Entries behind `start` (0: all), page by page, in order: memory is that of one page. */
export async function* readAudit(door: AdminDoor, start = 0): AsyncGenerator<AuditPage> {
  let after = start;
  for (;;) {
    const { entries, head, isLast } = await door.call('readAudit', { after });
    yield { entries, head: isLast ? head : null };
    const last = entries.at(-1);
    if (isLast || last === undefined) return;
    after = last.sequence;
  }
}
