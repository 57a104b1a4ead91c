/**
 * The token endpoints' one conductor: slowed down → which application → may it use this grant → the grant → told to
 * the audit. Client credentials are RFC 6749 4.4, as Entra ID's v1 and v2 endpoints take them.
 */
import { DEVICE_CODE_GRANT, GRANTS, type Grant } from '@longarm/contract/application';
import { TenantId } from '@longarm/contract/ids';
import { decodeJwt } from 'jose';
import { z } from 'zod';
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

const byClientCredentials: AnswerGrant = (io, request, application) =>
  signToken(io)(request, applicationToken(application));

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
const subjectOf = (request: TokenRequest): string => {
  const name = field(request, 'grant_type');
  if (name === DEVICE_CODE_GRANT) return 'device_code';
  return GRANTS.find((grant) => grant === name) ?? 'other grant';
};

const tellFailure = (io: TokenIo, request: TokenRequest, fault: OAuthFault): void => {
  const about = claimedClient(request) ?? 'nobody';
  io.log.refused({ subject: subjectOf(request), about, address: request.source }, fault);
};

/** Whose token it is: a person's, else the application's. */
const Bearer = z.object({ tid: TenantId, upn: z.string().optional(), app_displayname: z.string() });

/** Whatever led to the token; only a password is told where it is checked. */
const tellIssued = (io: TokenIo, request: TokenRequest, { access_token: token }: TokenAnswer): void => {
  const subject = subjectOf(request);
  if (subject === 'password') return;
  const { tid: tenantId, upn, app_displayname: application } = Bearer.parse(decodeJwt(token));
  io.log.issued({ tenantId, name: upn ?? application, subject, address: request.source });
};

/** What a person got wrong was counted and told where it was looked at. */
const isToldAlready = (fault: OAuthFault): boolean =>
  fault.fault === 'needsEnrolment' || (fault.row.isGuess === true && fault.row.error === 'invalid_grant');

/** Throws OAuthFault. */
export const issueToken =
  (io: TokenIo) =>
  async (request: TokenRequest): Promise<TokenAnswer> => {
    const attempt: Attempt = { kind: 'application', account: claimedClient(request) ?? '', source: request.source };
    try {
      io.throttle.require(attempt);
      const token = await answer(io, request);
      io.throttle.succeeded(attempt);
      tellIssued(io, request, token);
      return token;
    } catch (fault) {
      if (!(fault instanceof OAuthFault)) throw fault;
      if (fault.row.isGuess && fault.row.error === 'invalid_client') io.throttle.failed(attempt);
      if (!fault.row.isUsual && !isToldAlready(fault)) tellFailure(io, request, fault);
      throw fault;
    }
  };
