/** The one way in which this device believes a signature: JWS in compact form (RFC 7515), EdDSA over Ed25519 (RFC 8037). */
import { createPublicKey, verify } from 'node:crypto';
import { compactParts, decodePart } from '@longarm/contract/signing/author-signature';
import { z } from 'zod';

type Verified = { readonly ok: true; readonly payload: unknown } | { readonly ok: false; readonly fault: JwsFault };

/** Not in compact form; another kind of signed text; signed by another key. */
export type JwsFault = 'form' | 'header' | 'signature';

/** Nothing but these two: a header that asks for more (`crit`, `jwk`, `kid`) is not ours. */
const Header = z.strictObject({ alg: z.literal('EdDSA'), typ: z.string() });

/** `publicKey`: raw, base64url. `type`: what `typ` has to be, so that nothing signed for one use serves another. */
export const verifyJws = (
  compact: string,
  expected: { readonly publicKey: string; readonly type: string },
): Verified => {
  const parts = compactParts(compact);
  if (parts === null) return { ok: false, fault: 'form' };
  const { header, body, signature } = parts;
  if (Header.safeParse(decodePart(header)).data?.typ !== expected.type) return { ok: false, fault: 'header' };
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: expected.publicKey }, format: 'jwk' });
  const isSigned = verify(null, Buffer.from(`${header}.${body}`, 'ascii'), key, Buffer.from(signature, 'base64url'));
  return isSigned ? { ok: true, payload: decodePart(body) } : { ok: false, fault: 'signature' };
};
