/** Signs heads of the audit's chain, by a key of its own. Synchronous, since it is done within a unit of the store. */
import { sign } from 'node:crypto';
import { type AuditCheckpoint, checkpointText } from '@longarm/contract/audit/checkpoint';
import type { Ed25519Key } from './secret-file.ts';

export const checkpointSigner =
  ({ privateKey, publicKeyRaw }: Ed25519Key) =>
  (head: Pick<AuditCheckpoint, 'sequence' | 'hash' | 'at'>): AuditCheckpoint => ({
    sequence: head.sequence,
    hash: head.hash,
    at: head.at,
    publicKey: publicKeyRaw,
    signature: sign(null, Buffer.from(checkpointText(head), 'utf8'), privateKey).toString('base64url'),
  });
