/** A signed head of the audit's chain: who has it can prove later that nothing before it was changed or cut off. */
import { z } from 'zod';

/** The event of the entry that holds a checkpoint, as its detail, right after the entry that it signs. */
export const AUDIT_CHECKPOINT_EVENT = 'audit.checkpoint';

export const AuditCheckpoint = z.object({
  sequence: z.int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Milliseconds since 1970 (UTC). */
  at: z.int(),
  /** Raw Ed25519 key (RFC 8032), base64url. */
  publicKey: z.string().length(43),
  /** Of `checkpointText`, base64url. */
  signature: z.string(),
});
export type AuditCheckpoint = z.infer<typeof AuditCheckpoint>;

/** What is signed. */
export const checkpointText = (head: Pick<AuditCheckpoint, 'sequence' | 'hash' | 'at'>): string =>
  ['longarm-audit-checkpoint-1', head.sequence, head.hash, head.at].join('\n');
