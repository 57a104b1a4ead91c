/**
 * Somebody says who they are: slowed down → password → second factor. Unknown names take as long as known ones, and
 * are told the same.
 */
import type { TenantId } from '@longarm/contract/ids';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PeopleStore, PersonRecord } from '../people-ports.ts';
import type { SignInLog } from '../sign-in-log.ts';
import type { Attempt, SignInThrottle } from '../sign-in-throttle.ts';
import type { Passwords } from './password.ts';
import type { SealedSecrets } from './sealed-secret.ts';
import { stepOf } from './totp.ts';

export type CheckIo = {
  readonly people: PeopleStore;
  readonly passwords: Passwords;
  readonly secrets: SealedSecrets;
  readonly throttle: SignInThrottle;
  readonly log: SignInLog;
  readonly now: () => number;
};

export type Credentials = {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly password: string;
  /** Of an authenticator app, or a recovery code; null or empty: none was given. */
  readonly code: string | null;
  readonly source: string | null;
  /** What they sign in to, for the audit. */
  readonly purpose: string;
};

export type CheckedPerson = { readonly person: PersonRecord; readonly isStrong: boolean };

/** What a person's TOTP secret is sealed for. */
export const totpPurpose = (personId: string): string => `totp ${personId}`;

const WRONG = 'Error validating credentials due to invalid username or password.';

const checkPassword = async (io: CheckIo, credentials: Credentials): Promise<PersonRecord> => {
  const person = await io.people.find(credentials.tenantId, credentials.name);
  const isRight = await io.passwords.isRight(credentials.password, person?.passwordHash ?? null);
  if (person === null || !isRight) throw new OAuthFault('wrongPassword', WRONG);
  if (person.disabled) throw new OAuthFault('disabledPerson', 'The user account is disabled.');
  return person;
};

const isGoodCode = async (io: CheckIo, person: PersonRecord, code: string): Promise<boolean> => {
  const secret = io.secrets.open(person.totpSecret ?? '', totpPurpose(person.id));
  const step = secret === null ? null : stepOf(secret, code, io.now());
  if (step !== null) return io.people.useTotpStep(person.id, step);
  return io.people.useRecoveryCode(person.id, hashSecret(code.trim().toLowerCase()), io.now());
};

const checkSecondFactor = async (io: CheckIo, person: PersonRecord, code: string | null): Promise<boolean> => {
  if (person.totpSecret === null) return false;
  if (code === null || code.trim() === '')
    throw new OAuthFault(
      'needsSecondFactor',
      'Due to a configuration change made by your administrator, or because you have a second factor, you must use multi-factor authentication. A password alone is not enough here.',
    );
  if (!(await isGoodCode(io, person, code)))
    throw new OAuthFault('wrongCode', 'The code of the second factor is wrong, or was used before.');
  return true;
};

/** Throws OAuthFault. */
export const checkPerson =
  (io: CheckIo) =>
  async (credentials: Credentials): Promise<CheckedPerson> => {
    const { name, source, purpose, tenantId } = credentials;
    const attempt: Attempt = { kind: 'person', account: name, source };
    io.throttle.require(attempt);
    try {
      const person = await checkPassword(io, credentials);
      const isStrong = await checkSecondFactor(io, person, credentials.code);
      io.throttle.succeeded(attempt);
      await io.people.signedIn(person.id, io.now());
      io.log.issued({ tenantId, name: person.name, subject: purpose, address: source });
      return { person, isStrong };
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      if (fault.row.isGuess) io.throttle.failed(attempt);
      io.log.refused({ subject: purpose, about: name, address: source }, fault);
      throw fault;
    }
  };
