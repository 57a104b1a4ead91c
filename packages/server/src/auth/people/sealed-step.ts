/**
 * What a form carries to the next one: who has proven what, for which page, and until when. Sealed, so that nothing
 * waits on the server and no cookie is needed; good once, since what was handed in is remembered until it is over.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OAuthFault } from '../oauth-fault.ts';
import type { PeopleStore, PersonRecord } from '../people-ports.ts';
import type { CredentialStore } from '../ports.ts';
import type { Proven } from '../second-factor-ports.ts';
import type { SealedSecrets } from './sealed-secret.ts';

export type StepIo = {
  readonly people: Pick<PeopleStore, 'findById'>;
  readonly credentials: Pick<CredentialStore, 'useAssertion'>;
  readonly secrets: SealedSecrets;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly now: () => number;
};

const CHALLENGE_BYTES = 32;
/** Characters of a page's address that is carried along. */
const BACK_CHARACTERS = 3_000;

const Step = z.strictObject({
  personId: z.string(),
  /** Of the password that was given: another one ends what was proven by it. */
  password: z.string(),
  proven: z.enum(['password', 'second factor']),
  /** What a security key signs; also what tells one step from another. */
  challenge: z.string(),
  expiresAt: z.int(),
  /** Where the person came from: path and query on this server. */
  back: z.string().nullable(),
});

export type ProvenStep = {
  readonly person: PersonRecord;
  readonly proven: Proven;
  readonly expiresAt: number;
  readonly back: string | null;
};

export type SealedStep = { readonly sealed: string; readonly challenge: string };

const passwordMark = (person: PersonRecord): string =>
  createHash('sha256')
    .update(person.passwordHash ?? '', 'utf8')
    .digest('base64url');

/** `purpose`: a page and what exactly is done there; what was proven for one is good for no other. */
export const sealStep = (io: StepIo, purpose: string, { person, proven, expiresAt, back }: ProvenStep): SealedStep => {
  const challenge = Buffer.from(io.randomBytes(CHALLENGE_BYTES)).toString('base64url');
  const step: z.infer<typeof Step> = {
    personId: person.id,
    password: passwordMark(person),
    proven,
    challenge,
    expiresAt,
    back: back !== null && back.length <= BACK_CHARACTERS ? back : null,
  };
  return { sealed: io.secrets.seal(Buffer.from(JSON.stringify(step), 'utf8'), `step ${purpose}`), challenge };
};

const over = () => new OAuthFault('badRequest', 'This took too long, or was sent before. Sign in again.');

/** Throws OAuthFault; a step that was taken is over, whatever comes of it. */
export const takeStep = async (
  io: StepIo,
  purpose: string,
  sealed: string,
): Promise<ProvenStep & { readonly challenge: string }> => {
  const opened = io.secrets.open(sealed, `step ${purpose}`);
  const step = opened === null ? null : Step.parse(JSON.parse(Buffer.from(opened).toString('utf8')));
  if (step === null || step.expiresAt <= io.now()) throw over();
  const used = { id: `step ${step.challenge}`, expiresAt: step.expiresAt };
  if (!(await io.credentials.useAssertion(used, io.now()))) throw over();
  const person = await io.people.findById(step.personId);
  if (person === null || person.disabled || passwordMark(person) !== step.password) throw over();
  const { proven, expiresAt, back, challenge } = step;
  return { person, proven, expiresAt, back, challenge };
};
