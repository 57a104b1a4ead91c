/**
 * An entry of the audit, and the text that its hash is of. Each entry holds the hash of the one before it, so that
 * an entry that is changed, removed, added or moved breaks the chain where it stands.
 */
import { z } from 'zod';

/** What the first entry holds in place of a hash before it. */
export const NO_AUDIT_HASH = '0'.repeat(64);

/** Entries in one page of the admin door. */
export const AUDIT_PAGE_ENTRIES = 500;

const Hash = z.string();

export const AuditEntry = z.object({
  /** 1 for the first one, without gaps. */
  sequence: z.int(),
  /** Milliseconds since 1970 (UTC). */
  at: z.int(),
  tenantId: z.string(),
  /** Who: an application's name, `device <id>`, `server`, `local administrator`. */
  actor: z.string(),
  /** What happened: `action.requested`, `action.Succeeded`, … */
  event: z.string(),
  /** To what. */
  subject: z.string(),
  /** A JSON object as text, exactly as it was hashed. */
  detail: z.string(),
  /** The hash of the entry before. */
  previous: Hash,
  /** SHA-256 of `auditEntryText`, 64 hex digits. */
  hash: Hash,
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Where the chain ends. */
export const AuditHead = z.object({ sequence: z.int().min(0), hash: Hash });
export type AuditHead = z.infer<typeof AuditHead>;

/** The canonical text of an entry: a JSON array without spaces, in UTF-8 when it is hashed. */
export const auditEntryText = (entry: Omit<AuditEntry, 'hash'>): string =>
  JSON.stringify([
    'longarm-audit-1',
    entry.previous,
    entry.sequence,
    entry.at,
    entry.tenantId,
    entry.actor,
    entry.event,
    entry.subject,
    entry.detail,
  ]);
