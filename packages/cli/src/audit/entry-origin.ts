/** Where the request came from that an entry is of, and its id; what the server did by itself has neither. */
import type { AuditEntry } from '@longarm/contract/audit/audit-entry';
import { z } from 'zod';

const Detail = z.object({
  origin: z.object({ address: z.string().nullable().default(null), requestId: z.string().nullable().default(null) }),
});

export type EntryOrigin = { readonly address: string | null; readonly requestId: string | null };

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

export const entryOrigin = ({ detail }: Pick<AuditEntry, 'detail'>): EntryOrigin =>
  Detail.safeParse(parsed(detail)).data?.origin ?? { address: null, requestId: null };
