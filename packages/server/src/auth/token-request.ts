/** A request to the token endpoints, as the door read it, and what of it was asked for. */
import { parseTenantId, type TenantId } from '@longarm/contract/ids';
import { OAuthFault } from './oauth-fault.ts';

export type TokenRequest = {
  /** As the URL names it: a GUID, or `default`. */
  readonly tenant: string;
  readonly version: 1 | 2;
  /** The parameters of its form, and of a Basic header where the form has none. */
  readonly form: ReadonlyMap<string, string>;
  /** The server's public address, without a slash at its end: the issuer's. */
  readonly base: string;
  /** Where it came from; null when that is not known. */
  readonly source: string | null;
};

export type TokenAnswer = {
  readonly token_type: 'Bearer';
  readonly scope?: string;
  readonly expires_in: number;
  readonly ext_expires_in: number;
  readonly expires_on?: string;
  readonly not_before?: string;
  readonly resource?: string;
  readonly access_token: string;
  readonly refresh_token?: string;
};

/** What a token is for when the request does not say. */
const DEFAULT_RESOURCE = 'https://api.securitycenter.microsoft.com';

/** The parameter, or null where it is missing or empty. */
export const field = (request: Pick<TokenRequest, 'form'>, name: string): string | null =>
  request.form.get(name) || null;

/** Throws OAuthFault. */
export const requireField = (request: Pick<TokenRequest, 'form'>, name: string): string => {
  const value = field(request, name);
  if (value === null)
    throw new OAuthFault('badRequest', `The request body must contain the following parameter: '${name}'.`);
  return value;
};

/** Throws OAuthFault. */
export const requireTenant = (text: string, defaultTenant: TenantId): TenantId => {
  const tenant = text.toLowerCase() === 'default' ? defaultTenant : parseTenantId(text);
  if (tenant === null)
    throw new OAuthFault('badRequest', `Tenant '${text}' not found. Use the tenant's GUID, or default.`);
  return tenant;
};

/** The audience. v2: `<resource>/.default` or `<resource>/<scope>`; v1: the resource itself. */
export const resourceOf = (request: Pick<TokenRequest, 'form'>): string => {
  const first = field(request, 'scope')
    ?.split(' ')
    .find((scope) => scope.includes('/'));
  return field(request, 'resource') ?? first?.replace(/\/[^/]*$/, '') ?? DEFAULT_RESOURCE;
};
