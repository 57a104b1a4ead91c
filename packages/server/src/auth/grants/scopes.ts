/** What a token of a person is to be for, as the request says it and the application may. */
import type { Scope } from '@longarm/contract/permission';
import { SCOPES } from '@longarm/contract/permission';
import { OAuthFault } from '../oauth-fault.ts';
import { field, type TokenRequest } from '../token-request.ts';

/** Of OpenID Connect; they name no permission here. */
const OF_SIGN_IN = ['openid', 'profile', 'email', 'offline_access'];
/** What stands for everything that the application may. */
const ALL = ['.default', 'user_impersonation'];

const namesIn = (request: Pick<TokenRequest, 'form'>): readonly string[] =>
  (field(request, 'scope') ?? '')
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => name.replace(/^.*\//, ''));

/** Throws OAuthFault for a scope that the application may not ask for. */
export const grantedScopes = (request: Pick<TokenRequest, 'form'>, allowed: readonly Scope[]): readonly Scope[] => {
  const names = namesIn(request).filter((name) => !OF_SIGN_IN.includes(name));
  if (names.length === 0 || names.some((name) => ALL.includes(name))) return allowed;
  return names.map((name) => {
    const scope = SCOPES.find((known) => known === name);
    if (scope !== undefined && allowed.includes(scope)) return scope;
    throw new OAuthFault('badScope', `The application may not ask for the scope '${name}', but ${allowed.join(', ')}.`);
  });
};

/** v1 gives a refresh token always, v2 when it was asked for. */
export const wantsRefreshToken = (request: Pick<TokenRequest, 'form'> & { readonly version: 1 | 2 }): boolean =>
  request.version === 1 || namesIn(request).includes('offline_access');
