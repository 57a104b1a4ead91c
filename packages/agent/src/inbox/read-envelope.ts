/** The device obeys signatures, not sockets: reads what was signed by the pinned key, and nothing else. */
import { ENVELOPE_TYPE, EnvelopePayload } from '@longarm/contract/wire/envelope';
import { type JwsFault, verifyJws } from '../identity/verify-jws.ts';

type Read = { readonly ok: true; readonly payload: EnvelopePayload } | { readonly ok: false; readonly fault: string };

const SENTENCES: Readonly<Record<JwsFault, string>> = {
  form: 'expected a JWS in compact form, got something else',
  header: 'expected an envelope signed with EdDSA, its header says something else',
  signature: 'the envelope is not signed by the key that this device was enrolled with',
};

/** The payload, or why it is not to be believed. `publicKey`: Ed25519, raw, base64url. */
export const readEnvelope = (compact: string, publicKey: string): Read => {
  const verified = verifyJws(compact, { publicKey, type: ENVELOPE_TYPE });
  if (!verified.ok) return { ok: false, fault: SENTENCES[verified.fault] };
  const payload = EnvelopePayload.safeParse(verified.payload);
  if (payload.success) return { ok: true, payload: payload.data };
  const issue = payload.error.issues[0];
  return { ok: false, fault: `the envelope says what this agent does not understand: ${issue?.path.join('.')}` };
};
