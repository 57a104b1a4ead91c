/** Secrets that have to be read again, encrypted at rest by AES-256-GCM under a key that the seal key leads to. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type SealedSecrets = {
  /** `purpose` is bound to it: what was sealed for one opens for no other. */
  readonly seal: (secret: Uint8Array, purpose: string) => string;
  /** Null for what was not sealed here, or for another purpose. */
  readonly open: (text: string, purpose: string) => Uint8Array | null;
};

export const sealedSecrets = (sealKey: Uint8Array): SealedSecrets => {
  const key = Buffer.from(hkdfSync('sha256', sealKey, '', 'longarm-sealed-secret-v1', 32));
  return {
    seal: (secret, purpose) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose, 'utf8'));
      const text = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
    },
    open: (text, purpose) => {
      const bytes = Buffer.from(text, 'base64url');
      try {
        const nonce = bytes.subarray(0, NONCE_BYTES);
        const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
        // Node would take a shorter tag unless told; this runtime does not
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(purpose, 'utf8'));
        decipher.setAuthTag(tag);
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
};
