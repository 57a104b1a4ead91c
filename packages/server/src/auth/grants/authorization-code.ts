/** The code that a signed-in person's browser carries to the application (RFC 6749 4.1, RFC 7636 with S256). */
import { createHash } from 'node:crypto';
import { isSameSecret } from '../../audit/same-secret.ts';
import type { AuthorizationCodeRecord, Delegation } from '../grant-ports.ts';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { ApplicationRecord } from '../ports.ts';
import { field, requireField, type TokenAnswer, type TokenRequest } from '../token-request.ts';
import { type DelegatedIo, delegatedAnswer, requirePerson } from './delegated-answer.ts';

const CODE_BYTES = 32;
const CODE_MS = 300_000;

/** What the application asked its person to agree to. */
export type Authorization = Delegation & {
  readonly redirectUri: string;
  /** Empty where a confidential application sent none. */
  readonly challenge: string;
};

export const newAuthorizationCode =
  (io: Pick<DelegatedIo, 'grants' | 'now' | 'randomText'>) =>
  async (authorization: Authorization): Promise<string> => {
    const code = io.randomText(CODE_BYTES);
    const record = { ...authorization, sha256: hashSecret(code), expiresAt: io.now() + CODE_MS };
    await io.grants.addAuthorizationCode(record, io.now());
    return code;
  };

const checkVerifier = (code: AuthorizationCodeRecord, verifier: string | null): void => {
  if (code.challenge === '' && verifier === null) return;
  const challenge = createHash('sha256')
    .update(verifier ?? '', 'ascii')
    .digest('base64url');
  if (!isSameSecret(challenge, code.challenge))
    throw new OAuthFault('wrongVerifier', 'The code_verifier does not match the code_challenge of the authorization.');
};

const TAKE_FAULTS = {
  unknown: ['revokedGrant', 'The authorization code is not known.'],
  expired: ['expiredCode', 'The authorization code has expired.'],
  reused: ['redeemedCode', 'The authorization code was redeemed already: what it gave was ended.'],
} as const;

/** Throws OAuthFault. */
export const byAuthorizationCode = async (
  io: DelegatedIo,
  request: TokenRequest,
  application: ApplicationRecord,
): Promise<TokenAnswer> => {
  const family = io.newId();
  const taken = await io.grants.takeAuthorizationCode(hashSecret(requireField(request, 'code')), family, io.now());
  if (typeof taken === 'string') {
    const [fault, sentence] = TAKE_FAULTS[taken];
    throw new OAuthFault(fault, sentence);
  }
  if (taken.applicationId !== application.id)
    throw new OAuthFault('revokedGrant', 'The authorization code is that of another application.');
  if (requireField(request, 'redirect_uri') !== taken.redirectUri)
    throw new OAuthFault('wrongRedirect', 'The redirect_uri is not the one of the authorization.');
  checkVerifier(taken, field(request, 'code_verifier'));
  const person = await requirePerson(io, taken);
  // what was asked for is in the authorization, and need not be repeated
  const asked = { ...request, form: new Map(request.form).set('scope', 'offline_access') };
  const { scopes, isStrong } = taken;
  return delegatedAnswer(io)(asked, { application, person, scopes, isStrong }, family);
};
