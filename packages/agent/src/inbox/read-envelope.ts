/** The device obeys signatures, not sockets: reads what was signed by the pinned key, and nothing else. */
import { createPublicKey, verify } from 'node:crypto';
import { ENVELOPE_TYPE, EnvelopePayload } from '@longarm/contract/wire/envelope';
import { z } from 'zod';

type Read = { readonly ok: true; readonly payload: EnvelopePayload } | { readonly ok: false; readonly fault: string };

/** JWS in compact form (RFC 7515): three parts in base64url without padding. */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** Nothing but these two: a header that asks for more (`crit`, `jwk`, `kid`) is not ours. */
const Header = z.strictObject({ alg: z.literal('EdDSA'), typ: z.literal(ENVELOPE_TYPE) });

const decodeJson = (part: string): unknown => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
};

const isSigned = (publicKey: string, input: string, signature: string): boolean => {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return verify(null, Buffer.from(input, 'ascii'), key, Buffer.from(signature, 'base64url'));
};

/** The payload, or why it is not to be believed. `publicKey`: Ed25519, raw, base64url. */
export const readEnvelope = (compact: string, publicKey: string): Read => {
  const [, header, body, signature] = COMPACT.exec(compact) ?? [];
  if (header === undefined || body === undefined || signature === undefined)
    return { ok: false, fault: 'expected a JWS in compact form, got something else' };
  if (!Header.safeParse(decodeJson(header)).success)
    return { ok: false, fault: 'expected an envelope signed with EdDSA, its header says something else' };
  if (!isSigned(publicKey, `${header}.${body}`, signature))
    return { ok: false, fault: 'the envelope is not signed by the key that this device was enrolled with' };
  const payload = EnvelopePayload.safeParse(decodeJson(body));
  if (payload.success) return { ok: true, payload: payload.data };
  const issue = payload.error.issues[0];
  return { ok: false, fault: `the envelope says what this agent does not understand: ${issue?.path.join('.')}` };
};
