/**
 * Client credentials (RFC 6749 4.4) as Entra ID's v1 and v2 endpoints take them. The token is a real JWT, since
 * clients of the original decode it: application permissions in `roles`, the tenant in `tid`.
 */
import { ApplicationId, parseTenantId, type TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { TOKEN_SECONDS } from '@longarm/contract/limits';
import { SignJWT } from 'jose';
import { isSameSecret } from '../audit/same-secret.ts';
import { hashSecret } from './hash-secret.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { AccessStore, ApplicationRecord } from './ports.ts';
import type { TokenKey } from './token-keys.ts';

export type TokenIo = {
  readonly access: Pick<AccessStore, 'findApplication'>;
  readonly key: TokenKey;
  readonly now: () => EpochMs;
  readonly newId: () => string;
  readonly defaultTenant: TenantId;
};

export type TokenRequest = {
  /** As the URL names it: a GUID, or `default`. */
  readonly tenant: string;
  readonly version: 1 | 2;
  readonly grantType: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  /** v2: `<resource>/.default`; v1: the resource. */
  readonly scope: string | null;
  readonly resource: string | null;
  /** The server's public address, without a slash at its end: the issuer's. */
  readonly base: string;
};

export type TokenAnswer = {
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly ext_expires_in: number;
  readonly expires_on?: string;
  readonly not_before?: string;
  readonly resource?: string;
  readonly access_token: string;
};

/** What a token is for when the request does not say. */
const DEFAULT_RESOURCE = 'https://api.securitycenter.microsoft.com';
/** A hash that no secret has: compared with when the application is unknown, so that both take the same time. */
const NO_HASH = '0'.repeat(64);

const requireTenant = (io: TokenIo, text: string): TenantId => {
  const tenant = text.toLowerCase() === 'default' ? io.defaultTenant : parseTenantId(text);
  if (tenant === null)
    throw new OAuthFault('invalid_request', `Tenant '${text}' not found. Use the tenant's GUID, or default.`);
  return tenant;
};

const requireField = (value: string | null, name: string): string => {
  if (value === null || value === '')
    throw new OAuthFault('invalid_request', `The request body must contain the following parameter: '${name}'.`);
  return value;
};

const requireApplication = async (io: TokenIo, request: TokenRequest): Promise<ApplicationRecord> => {
  const tenant = requireTenant(io, request.tenant);
  const clientId = ApplicationId.safeParse(requireField(request.clientId, 'client_id')).data;
  const secret = requireField(request.clientSecret, 'client_secret');
  const application = clientId === undefined ? null : await io.access.findApplication(clientId);
  const isRight = isSameSecret(application?.secretSha256 ?? NO_HASH, hashSecret(secret));
  if (application === null || application.tenantId !== tenant || !isRight) {
    throw new OAuthFault('invalid_client', 'The client id is not known in this tenant, or the client secret is wrong.');
  }
  return application;
};

const resourceOf = (request: TokenRequest): string =>
  request.resource ?? request.scope?.split(' ')[0]?.replace(/\/\.default$/, '') ?? DEFAULT_RESOURCE;

const signToken = (
  io: TokenIo,
  application: ApplicationRecord,
  token: { readonly audience: string; readonly issuedAt: number; readonly version: 1 | 2; readonly base: string },
) =>
  new SignJWT({
    appid: application.id,
    app_displayname: application.name,
    idtyp: 'app',
    oid: application.id,
    roles: [...application.roles],
    tid: application.tenantId,
    ver: token.version === 1 ? '1.0' : '2.0',
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: io.key.kid })
    .setIssuer(`${token.base}/${application.tenantId}/`)
    .setAudience(token.audience)
    .setSubject(application.id)
    .setJti(io.newId())
    .setIssuedAt(token.issuedAt)
    .setNotBefore(token.issuedAt)
    .setExpirationTime(token.issuedAt + TOKEN_SECONDS)
    .sign(io.key.privateKey);

/** Throws OAuthFault. */
export const issueToken =
  (io: TokenIo) =>
  async (request: TokenRequest): Promise<TokenAnswer> => {
    const grant = requireField(request.grantType, 'grant_type');
    if (grant !== 'client_credentials') {
      throw new OAuthFault(
        'unsupported_grant_type',
        `The grant type '${grant}' is not supported here: use client_credentials.`,
      );
    }
    const application = await requireApplication(io, request);
    const issuedAt = Math.floor(io.now() / 1_000);
    const audience = resourceOf(request);
    const seconds = TOKEN_SECONDS - 1;
    const accessToken = await signToken(io, application, {
      audience,
      issuedAt,
      version: request.version,
      base: request.base,
    });
    const v1 = { expires_on: String(issuedAt + seconds), not_before: String(issuedAt), resource: audience };
    return {
      token_type: 'Bearer',
      expires_in: seconds,
      ext_expires_in: seconds,
      ...(request.version === 1 ? v1 : {}),
      access_token: accessToken,
    };
  };
