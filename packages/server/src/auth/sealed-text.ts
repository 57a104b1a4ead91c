/** Short-lived texts that carry their own proof: `<payload, base64url>.<HMAC-SHA256, base64url>`. */
import { createHmac } from 'node:crypto';
import { isSameSecret } from '../audit/same-secret.ts';

/** HMAC-SHA256 of a text under a purpose, so that a seal for one use never fits another. */
export const sealOf = (key: Uint8Array, purpose: string, text: string): string =>
  createHmac('sha256', key).update(`${purpose}\n${text}`, 'utf8').digest('base64url');

export const isSealOf = (
  seal: string,
  key: Uint8Array,
  sealed: { readonly purpose: string; readonly text: string },
): boolean => isSameSecret(sealOf(key, sealed.purpose, sealed.text), seal);
