/** A simulated agent obeys signatures, too: the payload of an envelope that the enrolled key has signed. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { EnvelopePayload } from '@longarm/contract/wire/envelope';

export const envelopeKeyOf = (publicKey: string): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });

/** Null for what is not signed by the key, or not understood. */
export const readEnvelope = (compact: string, key: KeyObject): EnvelopePayload | null => {
  const [head = '', body = '', signature = '', ...rest] = compact.split('.');
  if (rest.length > 0) return null;
  const isSigned = verify(null, Buffer.from(`${head}.${body}`, 'ascii'), key, Buffer.from(signature, 'base64url'));
  if (!isSigned) return null;
  return EnvelopePayload.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))).data ?? null;
};
