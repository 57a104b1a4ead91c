/** Signs envelopes: JWS in compact form (RFC 7515) with EdDSA over Ed25519 (RFC 8037). Synchronous on purpose. */
import { type KeyObject, sign } from 'node:crypto';
import { ENVELOPE_TYPE, type EnvelopePayload } from '@longarm/contract/wire/envelope';

const encode = (value: object): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

const HEADER = encode({ alg: 'EdDSA', typ: ENVELOPE_TYPE });

export const envelopeSigner =
  (privateKey: KeyObject) =>
  (payload: EnvelopePayload): string => {
    const input = `${HEADER}.${encode(payload)}`;
    return `${input}.${sign(null, Buffer.from(input, 'ascii'), privateKey).toString('base64url')}`;
  };
