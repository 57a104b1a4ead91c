/**
 * Somebody says who they are: slowed down → password → second factor, or the word that one has to be set up first.
 * Unknown names take as long as known ones, and are told the same.
 */
import type { SecondFactorRule } from '@longarm/contract/admin/person-operations';
import type { TenantId } from '@longarm/contract/ids';
import { OAuthFault } from '../oauth-fault.ts';
import type { PeopleStore, PersonRecord } from '../people-ports.ts';
import type { SecondFactorStore, SecurityKeyRecord } from '../second-factor-ports.ts';
import type { SignInLog } from '../sign-in-log.ts';
import type { Attempt, SignInThrottle } from '../sign-in-throttle.ts';
import { checkFactor, type FactorAnswer } from './check-factor.ts';
import { mustHaveFactor } from './must-have-factor.ts';
import type { Passwords } from './password.ts';
import { type SealedStep, type StepIo, sealStep, takeStep } from './sealed-step.ts';

export type CheckIo = StepIo & {
  readonly people: PeopleStore;
  readonly secondFactors: SecondFactorStore;
  /** What the server asks of everybody. */
  readonly secondFactor: SecondFactorRule;
  readonly passwords: Passwords;
  readonly throttle: SignInThrottle;
  readonly log: SignInLog;
};

/** What they sign in to. */
export type Purpose = {
  /** For the audit: one of a closed set. */
  readonly subject: string;
  /** Path and query on this server, which say what exactly it is. */
  readonly page: string;
};

export type Credentials = {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly password: string;
  readonly source: string | null;
  readonly purpose: Purpose;
};

/** What is asked of a person whose password was right. */
export type AskedFactor = {
  readonly person: PersonRecord;
  readonly hasApp: boolean;
  readonly keys: readonly SecurityKeyRecord[];
  readonly step: SealedStep;
  /** What was wrong with the last answer, as a sentence. */
  readonly fault: string | null;
};

export type SignIn =
  | { readonly kind: 'done'; readonly person: PersonRecord; readonly isStrong: boolean }
  | { readonly kind: 'factor'; readonly asked: AskedFactor }
  /** The person has to set one up first. `step`: by which they may, and nothing else. */
  | { readonly kind: 'enrol'; readonly person: PersonRecord; readonly step: SealedStep };

/** Where second factors are set up: the purpose of steps that lead there, and what signing in to it is called. */
export const FACTOR_DESK = 'second factor';

/** From the password on. */
const FACTOR_MS = 300_000;
export const DESK_MS = 600_000;

export const NEEDS_ENROLMENT = 'A second factor is asked of you here, and you have none yet. Set one up first.';

const WRONG = 'Error validating credentials due to invalid username or password.';

const checkPassword = async (io: CheckIo, credentials: Credentials): Promise<PersonRecord> => {
  const person = await io.people.find(credentials.tenantId, credentials.name);
  const isRight = await io.passwords.isRight(credentials.password, person?.passwordHash ?? null);
  if (person === null || !isRight) throw new OAuthFault('wrongPassword', WRONG);
  if (person.disabled) throw new OAuthFault('disabledPerson', 'The user account is disabled.');
  return person;
};

type Asking = { readonly purpose: Purpose; readonly source: string | null };

const attemptOf = (name: string, source: string | null): Attempt => ({ kind: 'person', account: name.trim(), source });
const stepPurpose = ({ subject, page }: Purpose): string => `sign-in ${subject} ${page}`;

/** Somebody is in: what they got wrong before is forgotten. */
const finish = async (
  io: CheckIo,
  { person, isStrong }: { readonly person: PersonRecord; readonly isStrong: boolean },
  { purpose, source }: Asking,
): Promise<SignIn> => {
  io.throttle.succeeded(attemptOf(person.name, source));
  await io.people.signedIn(person.id, io.now());
  io.log.issued({ tenantId: person.tenantId, name: person.name, subject: purpose.subject, address: source });
  return { kind: 'done', person, isStrong };
};

const ask = async (
  io: CheckIo,
  person: PersonRecord,
  more: { readonly purpose: Purpose; readonly expiresAt: number; readonly fault: string | null },
): Promise<SignIn> => {
  const { purpose, expiresAt, fault } = more;
  const step = sealStep(io, stepPurpose(purpose), { person, proven: 'password', expiresAt, back: null });
  const keys = await io.secondFactors.keysOf(person.id);
  return { kind: 'factor', asked: { person, hasApp: person.totpSecret !== null, keys, step, fault } };
};

const askToEnrol = (io: CheckIo, person: PersonRecord, { purpose, source }: Asking): SignIn => {
  io.throttle.succeeded(attemptOf(person.name, source));
  const fault = new OAuthFault('needsEnrolment', NEEDS_ENROLMENT);
  io.log.refused({ subject: purpose.subject, about: person.name, address: source }, fault);
  const proven = { person, proven: 'password', expiresAt: io.now() + DESK_MS, back: purpose.page } as const;
  return { kind: 'enrol', person, step: sealStep(io, FACTOR_DESK, proven) };
};

const hasFactor = async (io: CheckIo, person: PersonRecord): Promise<boolean> =>
  person.totpSecret !== null || (await io.secondFactors.keysOf(person.id)).length > 0;

const afterPassword = async (io: CheckIo, person: PersonRecord, asking: Asking): Promise<SignIn> => {
  const { purpose } = asking;
  if (await hasFactor(io, person)) return ask(io, person, { purpose, expiresAt: io.now() + FACTOR_MS, fault: null });
  const mustEnrol = mustHaveFactor(person, io.secondFactor) && purpose.subject !== FACTOR_DESK;
  return mustEnrol ? askToEnrol(io, person, asking) : finish(io, { person, isStrong: false }, asking);
};

/** Counts a guess, and tells the audit; what is no refusal of ours is thrown on. */
const noteRefusal = (io: CheckIo, fault: unknown, { attempt, subject }: { attempt: Attempt; subject: string }) => {
  if (!(fault instanceof OAuthFault)) throw fault;
  if (fault.row.isGuess) io.throttle.failed(attempt);
  io.log.refused({ subject, about: attempt.account, address: attempt.source }, fault);
  return fault;
};

/** By name and password, which is all that some need. Throws OAuthFault. */
export const checkPerson =
  (io: CheckIo) =>
  async (credentials: Credentials): Promise<SignIn> => {
    const { name, source, purpose } = credentials;
    const attempt = attemptOf(name, source);
    try {
      io.throttle.require(attempt);
      return await afterPassword(io, await checkPassword(io, credentials), { purpose, source });
    } catch (fault) {
      throw noteRefusal(io, fault, { attempt, subject: purpose.subject });
    }
  };

/** Goes on from what `checkPerson` asked for; asks again where the answer is wrong. Throws OAuthFault. */
export const checkSecondFactor =
  (io: CheckIo) =>
  async (sealed: string, answer: FactorAnswer, asking: Asking): Promise<SignIn> => {
    const { purpose, source } = asking;
    const { person, expiresAt, challenge } = await takeStep(io, stepPurpose(purpose), sealed);
    const attempt = attemptOf(person.name, source);
    try {
      io.throttle.require(attempt);
      await checkFactor(io, answer, { person, challenge });
    } catch (fault) {
      const { message } = noteRefusal(io, fault, { attempt, subject: purpose.subject });
      return ask(io, person, { purpose, expiresAt, fault: message });
    }
    return finish(io, { person, isStrong: true }, asking);
  };
