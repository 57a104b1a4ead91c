/** The answer to a request on behalf of a person: a token with `scp`, and a refresh token where one may be had. */
import type { SecondFactorRule } from '@longarm/contract/admin/person-operations';
import type { Scope } from '@longarm/contract/permission';
import type { Delegation, GrantStore, RefreshRecord } from '../grant-ports.ts';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { mustHaveFactor } from '../people/must-have-factor.ts';
import type { PeopleStore, PersonRecord } from '../people-ports.ts';
import type { ApplicationRecord } from '../ports.ts';
import type { TokenAnswer, TokenRequest } from '../token-request.ts';
import { wantsRefreshToken } from './scopes.ts';
import { type SignerIo, signToken } from './sign-token.ts';

/** A refresh token that is not used for this long is over. */
const REFRESH_MS = 30 * 86_400_000;
const SECRET_BYTES = 32;

export type DelegatedIo = SignerIo & {
  readonly people: Pick<PeopleStore, 'findById'>;
  /** What the server asks of everybody. */
  readonly secondFactor: SecondFactorRule;
  readonly grants: GrantStore;
  readonly randomText: (bytes: number) => string;
};

/** Marks tokens of people of our own: who they are now is read at each call. */
export const OWN_PERSON = 'user';

type Granted = {
  readonly application: ApplicationRecord;
  readonly person: PersonRecord;
  readonly scopes: readonly Scope[];
  readonly isStrong: boolean;
};

/** Throws OAuthFault when the person is gone, disabled, or has to have a second factor that was not given. */
export const requirePerson = async (
  io: Pick<DelegatedIo, 'people' | 'secondFactor'>,
  { personId, isStrong }: Pick<Delegation, 'personId' | 'isStrong'>,
): Promise<PersonRecord> => {
  const person = await io.people.findById(personId);
  if (person === null || person.disabled || person.passwordHash === null)
    throw new OAuthFault('disabledPerson', 'The user account is disabled, or was reset.');
  if (!isStrong && mustHaveFactor(person, io.secondFactor))
    throw new OAuthFault('needsSecondFactor', 'A second factor is asked of this person by now: sign in again with it.');
  return person;
};

const personClaims = ({ person, scopes, isStrong }: Granted) => ({
  idtyp: OWN_PERSON,
  oid: person.id,
  upn: person.name,
  unique_name: person.name,
  preferred_username: person.name,
  name: person.displayName,
  roles: [...person.roles],
  scp: scopes.join(' '),
  amr: isStrong ? ['pwd', 'mfa'] : ['pwd'],
});

const accessToken = async (io: SignerIo, request: TokenRequest, granted: Granted): Promise<TokenAnswer> => {
  const { application, person, scopes } = granted;
  const token = { application, subject: person.id, claims: personClaims(granted) };
  const { token_type, ...rest } = await signToken(io)(request, token);
  return { token_type, scope: scopes.join(' '), ...rest };
};

const newToken = (
  io: DelegatedIo,
): { readonly token: string; readonly next: Pick<RefreshRecord, 'sha256' | 'expiresAt'> } => {
  const token = io.randomText(SECRET_BYTES);
  return { token, next: { sha256: hashSecret(token), expiresAt: io.now() + REFRESH_MS } };
};

/** `family`: of the refresh tokens that follow. */
export const delegatedAnswer =
  (io: DelegatedIo) =>
  async (request: TokenRequest, granted: Granted, family: string): Promise<TokenAnswer> => {
    const answer = await accessToken(io, request, granted);
    if (!granted.application.grants.includes('refresh_token') || !wantsRefreshToken(request)) return answer;
    const { token, next } = newToken(io);
    const { application, person, scopes, isStrong } = granted;
    const delegation: Delegation = { applicationId: application.id, personId: person.id, scopes, isStrong };
    await io.grants.addRefreshToken({ ...delegation, ...next, family, createdAt: io.now() });
    return { ...answer, refresh_token: token };
  };

/** The same with the next refresh token of its family. Throws OAuthFault. */
export const refreshedAnswer =
  (io: DelegatedIo) =>
  async (request: TokenRequest, granted: Granted, sha256: string): Promise<TokenAnswer> => {
    const { token, next } = newToken(io);
    const outcome = await io.grants.rotateRefreshToken(sha256, next, io.now());
    if (outcome === 'expired')
      throw new OAuthFault('expiredRefresh', 'The refresh token has expired due to inactivity.');
    if (outcome !== 'rotated')
      throw new OAuthFault('revokedGrant', 'The refresh token is not valid, or was used before: sign in again.');
    return { ...(await accessToken(io, request, granted)), refresh_token: token };
  };
