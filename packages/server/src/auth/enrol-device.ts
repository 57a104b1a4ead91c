/** Enrolment of a device: the token is good, the key is held, the record is made. */

import { Refusal } from '@longarm/contract/errors';
import type { EpochMs } from '@longarm/contract/instant';
import { parseEnrolToken } from '@longarm/contract/wire/enrol-token';
import type { EnrolAnswer, EnrolRequest } from '@longarm/contract/wire/enrolment';
import { enrolProofText } from '@longarm/contract/wire/protocol';
import { stateSentence } from '../machines/enrolment-state.ts';
import type { EnrolOutcome, MachineStore } from '../machines/ports.ts';
import { isSignedBy, machineIdOf } from './device-proof.ts';
import { hashSecret } from './hash-secret.ts';

type EnrolIo = {
  readonly machines: Pick<MachineStore, 'enrol'>;
  readonly now: () => EpochMs;
  /** Who devices prove themselves to. */
  readonly audience: string;
  /** Raw public key, base64url. */
  readonly envelopeKey: string;
};

const FAULTS: Readonly<Record<Exclude<EnrolOutcome['kind'], 'enrolled' | 'refused-machine'>, string>> = {
  'bad-token': 'The enrolment token is not known here.',
  revoked: 'The enrolment token was revoked. Ask for a new one.',
  expired: 'The enrolment token has expired. Ask for a new one.',
  'used-up': 'The enrolment token has been used as often as it may be. Ask for a new one.',
  'other-key': 'Another key is enrolled under this machine id.',
};

/** Throws Unauthorized for a bad token, InvalidInput for a proof that does not fit. */
export const enrolDevice =
  (io: EnrolIo) =>
  async (request: EnrolRequest, externalIp: string | null): Promise<EnrolAnswer> => {
    const token = parseEnrolToken(request.token);
    if (token === null)
      throw new Refusal('Unauthorized', 'Expected an enrolment token of the form longarm1.….….…, got something else.');
    const { publicKey, hardwareId, facts } = request;
    if (!isSignedBy(publicKey, enrolProofText({ tokenId: token.id, publicKey, hardwareId }), request.proof)) {
      throw new Refusal('InvalidInput', 'The proof does not fit the public key.');
    }
    const machineId = machineIdOf(publicKey);
    const outcome = await io.machines.enrol({
      tokenId: token.id,
      tokenSecretSha256: hashSecret(token.secret),
      machineId,
      publicKey,
      hardwareId,
      facts,
      externalIp,
      now: io.now(),
    });
    if (outcome.kind === 'refused-machine')
      throw new Refusal('Forbidden', `This device ${stateSentence(outcome.state, outcome.reason)}.`);
    if (outcome.kind !== 'enrolled') throw new Refusal('Unauthorized', FAULTS[outcome.kind]);
    return { machineId, tenantId: outcome.tenantId, audience: io.audience, envelopeKey: io.envelopeKey };
  };
