/**
 * The token endpoints' one conductor: slowed down → which application → may it use this grant → the grant → told to
 * the audit. Client credentials are RFC 6749 4.4, as Entra ID's v1 and v2 endpoints take them.
 */
import { DEVICE_CODE_GRANT, GRANTS, type Grant } from '@longarm/contract/application';
import type { TenantId } from '@longarm/contract/ids';
import { authenticateClient, type ClientIo, claimedClient } from './clients/authenticate-client.ts';
import { byAuthorizationCode } from './grants/authorization-code.ts';
import { byDeviceCode, byPassword, byRefreshToken, type PersonGrantsIo } from './grants/person-grants.ts';
import { applicationToken, signToken } from './grants/sign-token.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { ApplicationRecord } from './ports.ts';
import type { Attempt } from './sign-in-throttle.ts';
import { field, requireField, requireTenant, type TokenAnswer, type TokenRequest } from './token-request.ts';

export type TokenIo = ClientIo &
  PersonGrantsIo & {
    readonly defaultTenant: TenantId;
  };

const grantOf = (request: TokenRequest): Grant => {
  const name = requireField(request, 'grant_type');
  const grant = name === DEVICE_CODE_GRANT ? 'device_code' : GRANTS.find((known) => known === name);
  if (grant !== undefined) return grant;
  throw new OAuthFault('unknownGrant', `The grant type '${name}' is not supported here.`);
};

const requireAllowed = (application: ApplicationRecord, grant: Grant): void => {
  if (application.grants.includes(grant)) return;
  throw new OAuthFault(
    'grantNotAllowed',
    `The application '${application.id}' may not use the grant ${grant}, but ${application.grants.join(', ')}.`,
  );
};

type AnswerGrant = (io: TokenIo, request: TokenRequest, application: ApplicationRecord) => Promise<TokenAnswer>;

const byClientCredentials: AnswerGrant = async (io, request, application) => {
  const { tenantId, name } = application;
  io.log.issued({ tenantId, name, subject: 'client_credentials', address: request.source });
  return signToken(io)(request, applicationToken(application));
};

const GRANT_ANSWERS: Readonly<Record<Grant, AnswerGrant>> = {
  client_credentials: byClientCredentials,
  password: byPassword,
  refresh_token: byRefreshToken,
  device_code: byDeviceCode,
  authorization_code: byAuthorizationCode,
};

const answer = async (io: TokenIo, request: TokenRequest): Promise<TokenAnswer> => {
  const grant = grantOf(request);
  const tenantId = requireTenant(request.tenant, io.defaultTenant);
  const application = await authenticateClient(io)({ request, tenantId });
  requireAllowed(application, grant);
  return GRANT_ANSWERS[grant](io, request, application);
};

/** One of a closed set, whatever the request says. */
const subjectOf = (request: TokenRequest): string =>
  GRANTS.find((grant) => grant === field(request, 'grant_type')) ?? 'other grant';

const tellFailure = (io: TokenIo, request: TokenRequest, fault: OAuthFault): void => {
  const about = claimedClient(request) ?? 'nobody';
  io.log.refused({ subject: subjectOf(request), about, address: request.source }, fault);
};

/** What a person got wrong was counted and told where it was looked at. */
const isToldAlready = (fault: OAuthFault): boolean => fault.row.isGuess === true && fault.row.error === 'invalid_grant';

/** Throws OAuthFault. */
export const issueToken =
  (io: TokenIo) =>
  async (request: TokenRequest): Promise<TokenAnswer> => {
    const attempt: Attempt = { kind: 'application', account: claimedClient(request) ?? '', source: request.source };
    io.throttle.require(attempt);
    try {
      const token = await answer(io, request);
      io.throttle.succeeded(attempt);
      return token;
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      if (fault.row.isGuess && fault.row.error === 'invalid_client') io.throttle.failed(attempt);
      if (!fault.row.isUsual && !isToldAlready(fault)) tellFailure(io, request, fault);
      throw fault;
    }
  };
