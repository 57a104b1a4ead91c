/** Whether a checkpoint is signed by the key that it names, and whether an entry of the audit is the checkpoint that it claims to be. */
import { createPublicKey, verify } from 'node:crypto';
import type { AuditEntry } from '@longarm/contract/audit/audit-entry';
import { AUDIT_CHECKPOINT_EVENT, AuditCheckpoint, checkpointText } from '@longarm/contract/audit/checkpoint';

/** The checkpoint of a JSON text, if it is one and signed; else null. */
export const readCheckpoint = (text: string): AuditCheckpoint | null => {
  try {
    const checkpoint = AuditCheckpoint.parse(JSON.parse(text));
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: checkpoint.publicKey }, format: 'jwk' });
    const signature = Buffer.from(checkpoint.signature, 'base64url');
    return verify(null, Buffer.from(checkpointText(checkpoint), 'utf8'), key, signature) ? checkpoint : null;
  } catch {
    return null;
  }
};

/** Why the entry is no checkpoint of what comes before it; null when it is, or does not claim to be one. */
export const checkpointFault = (entry: AuditEntry): string | null => {
  if (entry.event !== AUDIT_CHECKPOINT_EVENT) return null;
  const checkpoint = readCheckpoint(entry.detail);
  const isOfIt = checkpoint?.sequence === entry.sequence - 1 && checkpoint.hash === entry.previous;
  return isOfIt ? null : `its signature is not of entry ${entry.sequence - 1}: what comes before was written anew`;
};
