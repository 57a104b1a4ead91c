/** How a person gets a second factor: a secret is shown, and kept when a code proves that an app has it. */
import { z } from 'zod';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { type CheckIo, type Credentials, checkPerson, totpPurpose } from './check-person.ts';
import { base32, stepOf, totpUri } from './totp.ts';

export type SecondFactorIo = CheckIo & { readonly randomBytes: (count: number) => Uint8Array };

/** RFC 4226 4: 160 bits. */
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
/** Of an offer that nobody confirmed. */
const OFFER_MS = 600_000;
const PURPOSE = 'second factor offer';

const Offer = z.strictObject({ personId: z.string(), secret: z.base64url(), expiresAt: z.int() });

export type SecondFactorOffer = { readonly secret: string; readonly uri: string; readonly sealed: string };

/** Whoever has one already gives a code of it. Throws OAuthFault. */
export const offerSecondFactor =
  (io: SecondFactorIo) =>
  async (credentials: Credentials): Promise<SecondFactorOffer> => {
    const { person } = await checkPerson(io)(credentials);
    const secret = io.randomBytes(SECRET_BYTES);
    const offer = {
      personId: person.id,
      secret: Buffer.from(secret).toString('base64url'),
      expiresAt: io.now() + OFFER_MS,
    };
    return {
      secret: base32(secret),
      uri: totpUri(secret, person.name),
      sealed: io.secrets.seal(Buffer.from(JSON.stringify(offer), 'utf8'), PURPOSE),
    };
  };

/** 50 bits each, as `abcde-fghij`. */
const newRecoveryCode = (io: SecondFactorIo): string => {
  const letters = base32(io.randomBytes(7)).slice(0, 10).toLowerCase();
  return `${letters.slice(0, 5)}-${letters.slice(5)}`;
};

/** Resolves to the recovery codes, which are shown this once. Throws OAuthFault. */
export const confirmSecondFactor =
  (io: SecondFactorIo) =>
  async (sealed: string, code: string): Promise<readonly string[]> => {
    const opened = io.secrets.open(sealed, PURPOSE);
    const offer = opened === null ? null : Offer.parse(JSON.parse(Buffer.from(opened).toString('utf8')));
    if (offer === null || offer.expiresAt <= io.now())
      throw new OAuthFault('badRequest', 'This took too long. Start again.');
    const secret = Buffer.from(offer.secret, 'base64url');
    const step = stepOf(secret, code, io.now());
    if (step === null) throw new OAuthFault('wrongCode', 'The code is not the one of this secret at this time.');
    const codes = Array.from({ length: RECOVERY_CODES }, () => newRecoveryCode(io));
    const factor = {
      totpSecret: io.secrets.seal(secret, totpPurpose(offer.personId)),
      step,
      recoverySha256: codes.map(hashSecret),
    };
    await io.people.setSecondFactor(offer.personId, factor, io.now());
    return codes;
  };
