import { createHash } from 'node:crypto';
import { auditEntryText } from '@longarm/contract/audit/audit-entry';
import type { Selectable } from 'kysely';
import type { AuditRow } from './schema.ts';

/** The hash of an entry: SHA-256 of its canonical text, 64 hex digits. */
export const auditHash = (row: Omit<Selectable<AuditRow>, 'hash'>): string =>
  createHash('sha256')
    .update(auditEntryText({ ...row, sequence: row.seq, tenantId: row.tenant_id }), 'utf8')
    .digest('hex');
