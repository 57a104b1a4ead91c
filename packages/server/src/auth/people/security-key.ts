/**
 * Security keys (WebAuthn Level 3): what a browser is asked for, and whether its answer is good. No attestation: it is
 * the person's affair which key they trust, and an attestation's certificates name addresses that checking them would
 * fetch.
 */
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import { z } from 'zod';
import { OAuthFault } from '../oauth-fault.ts';
import type { PersonRecord } from '../people-ports.ts';
import type { SecurityKeyRecord } from '../second-factor-ports.ts';
import type { RelyingParty } from './relying-party.ts';

/** How long a browser waits for the person's touch; less than a form of ours is good for. */
const TOUCH_MS = 120_000;
/** EdDSA, ES256, RS256 (RFC 9053). */
const ALGORITHMS = [-8, -7, -257] as const;
/** A credential's id has 1,023 bytes at most. */
const ID_CHARACTERS = 1_364;
const SENTENCE_CHARACTERS = 300;

const Base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const Transports = z.array(z.string().max(30)).max(10);

const common = {
  id: Base64url.max(ID_CHARACTERS),
  rawId: Base64url.max(ID_CHARACTERS),
  type: z.literal('public-key'),
  clientExtensionResults: z.object({}).default({}),
};

const Created = z.object({
  ...common,
  response: z.object({
    clientDataJSON: Base64url,
    attestationObject: Base64url,
    transports: Transports.default([]),
  }),
});

const Asserted = z.object({
  ...common,
  response: z.object({
    clientDataJSON: Base64url,
    authenticatorData: Base64url,
    signature: Base64url,
    userHandle: z.string().nullish(),
  }),
});

const describe = ({ id, transports }: SecurityKeyRecord) => ({ type: 'public-key', id, transports });

/** The person's id is a GUID that names nobody. */
const userHandle = (person: Pick<PersonRecord, 'id'>): string => Buffer.from(person.id, 'utf8').toString('base64url');

type Ask = {
  readonly relyingParty: RelyingParty;
  readonly keys: readonly SecurityKeyRecord[];
  /** Base64url. */
  readonly challenge: string;
};

/** PublicKeyCredentialCreationOptionsJSON. A password is asked for besides, so the key need not ask for a PIN. */
export const creationOptions = ({ relyingParty, keys, challenge }: Ask, person: PersonRecord) => ({
  rp: { id: relyingParty.id, name: `Longarm at ${relyingParty.id}` },
  user: { id: userHandle(person), name: person.name, displayName: person.displayName },
  challenge,
  pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
  timeout: TOUCH_MS,
  excludeCredentials: keys.map(describe),
  authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' },
  attestation: 'none',
});

/** PublicKeyCredentialRequestOptionsJSON. */
export const requestOptions = ({ relyingParty, keys, challenge }: Ask) => ({
  rpId: relyingParty.id,
  challenge,
  timeout: TOUCH_MS,
  allowCredentials: keys.map(describe),
  userVerification: 'discouraged',
});

const refused = (sentence: string): OAuthFault =>
  new OAuthFault('wrongCode', `The security key's answer is not good here: ${sentence.slice(0, SENTENCE_CHARACTERS)}`);

const parse = <Answer>(schema: z.ZodType<Answer>, text: string): Answer => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw refused('expected the JSON of a public key credential, got something else.');
  }
};

/** What the library throws is about the answer, and says what was expected of it. */
const judged = async <Verdict>(judge: () => Promise<Verdict> | Verdict): Promise<Verdict> => {
  try {
    return await judge();
  } catch (fault) {
    if (fault instanceof OAuthFault) throw fault;
    throw refused(fault instanceof Error ? fault.message : String(fault));
  }
};

const requireNoCertificates = (attestationObject: string): void => {
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')));
  const format = decoded.get('fmt');
  const isPlain = format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined);
  if (!isPlain) throw refused(`expected no attestation, got ${format}.`);
};

type Expected = { readonly relyingParty: RelyingParty; readonly challenge: string };

const expectations = ({ relyingParty, challenge }: Expected) => ({
  expectedChallenge: challenge,
  expectedOrigin: relyingParty.origin,
  expectedRPID: relyingParty.id,
  requireUserVerification: false,
});

/** Throws OAuthFault. */
export const readNewKey = (
  text: string,
  expected: Expected,
): Promise<Pick<SecurityKeyRecord, 'id' | 'publicKey' | 'counter' | 'transports'>> =>
  judged(async () => {
    const response = parse(Created, text);
    requireNoCertificates(response.response.attestationObject);
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...response, response: { ...response.response, transports: [] } },
      ...expectations(expected),
      supportedAlgorithmIDs: [...ALGORITHMS],
    });
    if (!verified) throw refused('its signature does not fit.');
    const { id, publicKey, counter } = registrationInfo.credential;
    const { transports } = response.response;
    return { id, publicKey: Buffer.from(publicKey).toString('base64url'), counter, transports };
  });

/** Which key it is and how far it has counted, which the store judges. Throws OAuthFault. */
export const readUsedKey = (
  text: string,
  expected: Expected & { readonly keys: readonly SecurityKeyRecord[]; readonly person: PersonRecord },
): Promise<Pick<SecurityKeyRecord, 'id' | 'counter'>> =>
  judged(async () => {
    const response = parse(Asserted, text);
    const key = expected.keys.find(({ id }) => id === response.id);
    if (key === undefined) throw refused('it is not one of your keys.');
    const { userHandle: handle, ...rest } = response.response;
    if (typeof handle === 'string' && handle !== '' && handle !== userHandle(expected.person))
      throw refused('it is of somebody else.');
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...response, response: rest },
      ...expectations(expected),
      credential: { id: key.id, publicKey: new Uint8Array(Buffer.from(key.publicKey, 'base64url')), counter: 0 },
    });
    if (!verified) throw refused('its signature does not fit.');
    return { id: key.id, counter: authenticationInfo.newCounter };
  });
