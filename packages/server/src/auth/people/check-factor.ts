/** Whether what somebody gave besides their password is theirs: a code of their app, a recovery code, or a security key. */
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PersonRecord } from '../people-ports.ts';
import type { SecondFactorStore } from '../second-factor-ports.ts';
import type { RelyingParty } from './relying-party.ts';
import type { SealedSecrets } from './sealed-secret.ts';
import { readUsedKey } from './security-key.ts';
import { stepOf } from './totp.ts';

type FactorIo = {
  readonly secondFactors: Pick<SecondFactorStore, 'keysOf' | 'keyUsed' | 'useTotpStep' | 'useRecoveryCode'>;
  readonly secrets: SealedSecrets;
  readonly now: () => number;
};

export type FactorAnswer = {
  /** Of an app, or a recovery code; empty: none was given. */
  readonly code: string;
  /** JSON of what a security key answered; empty: none did. */
  readonly credential: string;
  /** A sentence where there can be no security keys. */
  readonly relyingParty: RelyingParty | string;
};

type Whose = { readonly person: PersonRecord; readonly challenge: string };

/** What a person's TOTP secret is sealed for. */
export const totpPurpose = (personId: string): string => `totp ${personId}`;

const isGoodCode = async (io: FactorIo, person: PersonRecord, code: string): Promise<boolean> => {
  const secret = io.secrets.open(person.totpSecret ?? '', totpPurpose(person.id));
  const step = secret === null ? null : stepOf(secret, code, io.now());
  if (step !== null) return io.secondFactors.useTotpStep(person.id, step);
  return io.secondFactors.useRecoveryCode(person.id, hashSecret(code.trim().toLowerCase()), io.now());
};

const checkKey = async (io: FactorIo, { credential, relyingParty }: FactorAnswer, whose: Whose): Promise<void> => {
  if (typeof relyingParty === 'string') throw new OAuthFault('badRequest', relyingParty);
  const keys = await io.secondFactors.keysOf(whose.person.id);
  const used = await readUsedKey(credential, { ...whose, relyingParty, keys });
  if (await io.secondFactors.keyUsed(used, io.now())) return;
  throw new OAuthFault(
    'copiedKey',
    'The counter of this security key has not grown since its last use, as if there were a copy of it. Use another factor, remove this key, and tell your administrator.',
  );
};

/** Throws OAuthFault. */
export const checkFactor = async (io: FactorIo, answer: FactorAnswer, whose: Whose): Promise<void> => {
  if (answer.credential !== '') return checkKey(io, answer, whose);
  if (answer.code.trim() === '')
    throw new OAuthFault('needsSecondFactor', 'Expected a code or a security key, got neither.');
  if (await isGoodCode(io, whose.person, answer.code)) return;
  throw new OAuthFault('wrongCode', 'The code of the second factor is wrong, or was used before.');
};
