/** Signs envelopes: what devices execute. */
import type { KeyObject } from 'node:crypto';
import { ENVELOPE_TYPE, type EnvelopePayload } from '@longarm/contract/wire/envelope';
import { jwsSigner } from './jws-signer.ts';

export const envelopeSigner = (privateKey: KeyObject): ((payload: EnvelopePayload) => string) =>
  jwsSigner(privateKey, ENVELOPE_TYPE);
