/**
 * Where a person sees to their second factors, for a while after they proved who they are. Who has none yet needs a
 * password for the first one; from then on a factor is needed to change anything.
 */
import { z } from 'zod';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PersonRecord } from '../people-ports.ts';
import type { Factor, FactorAdded, SecurityKeyRecord } from '../second-factor-ports.ts';
import { totpPurpose } from './check-factor.ts';
import { type CheckIo, DESK_MS, FACTOR_DESK } from './check-person.ts';
import { mustHaveFactor } from './must-have-factor.ts';
import type { RelyingParty } from './relying-party.ts';
import { type ProvenStep, type SealedStep, sealStep, takeStep } from './sealed-step.ts';
import { readNewKey } from './security-key.ts';
import { base32, stepOf, totpUri } from './totp.ts';

/** RFC 4226 4: 160 bits. */
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
const OFFER_PURPOSE = 'second factor offer';
const NAME_CHARACTERS = 60;

const Offer = z.strictObject({ personId: z.string(), secret: z.base64url() });

/** What the person may see to, and the step by which they do. */
export type Desk = {
  readonly person: PersonRecord;
  readonly hasApp: boolean;
  readonly keys: readonly SecurityKeyRecord[];
  /** Their last factor stays. */
  readonly keepsOne: boolean;
  readonly step: SealedStep;
  readonly back: string | null;
};

export type AppOffer = { readonly secret: string; readonly uri: string; readonly sealed: string };

/** A step that was taken at the desk. */
export type DeskStep = ProvenStep & { readonly challenge: string };

/** Shown this once; none where those from before are still good. */
export type Added = { readonly recoveryCodes: readonly string[] };

/** Who comes to it has proven this just now. */
const openDesk = async (io: CheckIo, from: Omit<ProvenStep, 'expiresAt'> & { readonly expiresAt?: number }) => {
  // read again: what led here may have changed it
  const person = (await io.people.findById(from.person.id)) ?? from.person;
  const desk: Desk = {
    person,
    hasApp: person.totpSecret !== null,
    keys: await io.secondFactors.keysOf(person.id),
    keepsOne: mustHaveFactor(person, io.secondFactor),
    step: sealStep(io, FACTOR_DESK, { ...from, person, expiresAt: from.expiresAt ?? io.now() + DESK_MS }),
    back: from.back,
  };
  return desk;
};

const NEEDS_PROOF = 'You have a second factor by now: sign in again with it.';

/** Throws OAuthFault. */
const takeDeskStep = async (io: CheckIo, sealed: string): Promise<DeskStep> => {
  const step = await takeStep(io, FACTOR_DESK, sealed);
  const keys = await io.secondFactors.keysOf(step.person.id);
  if (step.proven === 'password' && (step.person.totpSecret !== null || keys.length > 0))
    throw new OAuthFault('badRequest', NEEDS_PROOF);
  return step;
};

/** 50 bits each, as `abcde-fghij`. */
const newRecoveryCode = (io: CheckIo): string => {
  const letters = base32(io.randomBytes(7)).slice(0, 10).toLowerCase();
  return `${letters.slice(0, 5)}-${letters.slice(5)}`;
};

const newRecoveryCodes = (io: CheckIo) => Array.from({ length: RECOVERY_CODES }, () => newRecoveryCode(io));

const REFUSALS: Readonly<Record<Exclude<FactorAdded, 'first' | 'further'>, string>> = {
  known: 'This security key is registered here already.',
  'too many': 'You have as many security keys as can be kept. Remove one first.',
  'needs proof': NEEDS_PROOF,
};

const requireAdded = (outcome: FactorAdded): 'first' | 'further' => {
  if (outcome === 'first' || outcome === 'further') return outcome;
  throw new OAuthFault('badRequest', REFUSALS[outcome]);
};

const readName = (text: string): string => {
  const name = text.trim() === '' ? 'Security key' : text.trim();
  if (name.length <= NAME_CHARACTERS && !/\p{C}/u.test(name)) return name;
  throw new OAuthFault(
    'badRequest',
    `Expected a name of up to ${NAME_CHARACTERS} characters on one line, got another one.`,
  );
};

type NewKey = {
  readonly name: string;
  /** JSON of what the key answered. */
  readonly credential: string;
  readonly relyingParty: RelyingParty | string;
};

/** Throws OAuthFault. */
const addKey = async (io: CheckIo, step: DeskStep, { name, credential, relyingParty }: NewKey): Promise<Added> => {
  if (typeof relyingParty === 'string') throw new OAuthFault('badRequest', relyingParty);
  const { person, challenge, proven } = step;
  const key = {
    ...(await readNewKey(credential, { relyingParty, challenge })),
    personId: person.id,
    name: readName(name),
    createdAt: io.now(),
    lastUsedAt: null,
  };
  const codes = newRecoveryCodes(io);
  const by = { proven, recoverySha256: codes.map(hashSecret) };
  const outcome = requireAdded(await io.secondFactors.addKey(key, by, io.now()));
  return { recoveryCodes: outcome === 'first' ? codes : [] };
};

const describeOffer = (person: PersonRecord, secret: Uint8Array, sealed: string): AppOffer => ({
  secret: base32(secret),
  uri: totpUri(secret, person.name),
  sealed,
});

/** A secret for the person's app, kept nowhere until a code proves that the app has it. */
const offerApp = (io: CheckIo, { person }: DeskStep): AppOffer => {
  const secret = io.randomBytes(SECRET_BYTES);
  const offer: z.infer<typeof Offer> = {
    personId: person.id,
    secret: Buffer.from(secret).toString('base64url'),
  };
  return describeOffer(person, secret, io.secrets.seal(Buffer.from(JSON.stringify(offer), 'utf8'), OFFER_PURPOSE));
};

const openOffer = (io: CheckIo, sealed: string, person: PersonRecord): Uint8Array => {
  const opened = io.secrets.open(sealed, OFFER_PURPOSE);
  const offer = opened === null ? null : Offer.parse(JSON.parse(Buffer.from(opened).toString('utf8')));
  if (offer === null || offer.personId !== person.id)
    throw new OAuthFault('badRequest', 'This was not offered here. Start again.');
  return Buffer.from(offer.secret, 'base64url');
};

/** The same offer again, where its code was wrong. */
const reofferApp = (io: CheckIo, { person }: DeskStep, sealed: string): AppOffer =>
  describeOffer(person, openOffer(io, sealed, person), sealed);

type Confirmation = { readonly sealed: string; readonly code: string };

/** Throws OAuthFault; `wrongCode` where the same offer may be tried again. */
const confirmApp = async (io: CheckIo, step: DeskStep, { sealed, code }: Confirmation): Promise<Added> => {
  const { person, proven } = step;
  const secret = openOffer(io, sealed, person);
  const totpStep = stepOf(secret, code, io.now());
  if (totpStep === null) throw new OAuthFault('wrongCode', 'The code is not the one of this secret at this time.');
  const codes = newRecoveryCodes(io);
  const app = {
    personId: person.id,
    totpSecret: io.secrets.seal(secret, totpPurpose(person.id)),
    step: totpStep,
    recoverySha256: codes.map(hashSecret),
  };
  requireAdded(await io.secondFactors.setApp(app, proven, io.now()));
  return { recoveryCodes: codes };
};

/** Throws OAuthFault. */
const removeFactor = async (io: CheckIo, { person }: DeskStep, factor: Factor): Promise<void> => {
  const of = { personId: person.id, keepsOne: mustHaveFactor(person, io.secondFactor) };
  const outcome = await io.secondFactors.removeFactor(of, factor, io.now());
  if (outcome === 'last')
    throw new OAuthFault(
      'badRequest',
      'You have to have a second factor here: add another one before you remove this.',
    );
  if (outcome === 'unknown') throw new OAuthFault('badRequest', 'It is not there any more.');
};

/** All of it; `takeDeskStep` comes first, and what follows throws OAuthFault with what to tell the person. */
export const factorDesk = (io: CheckIo) => ({
  openDesk: (from: Parameters<typeof openDesk>[1]) => openDesk(io, from),
  takeDeskStep: (sealed: string) => takeDeskStep(io, sealed),
  addKey: (step: DeskStep, key: NewKey) => addKey(io, step, key),
  offerApp: (step: DeskStep) => offerApp(io, step),
  reofferApp: (step: DeskStep, sealed: string) => reofferApp(io, step, sealed),
  confirmApp: (step: DeskStep, confirmation: Confirmation) => confirmApp(io, step, confirmation),
  removeFactor: (step: DeskStep, factor: Factor) => removeFactor(io, step, factor),
});
export type FactorDesk = ReturnType<typeof factorDesk>;
