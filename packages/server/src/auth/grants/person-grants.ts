/** Grants on behalf of people: password (RFC 6749 4.3), refresh token (6, rotating), device code (RFC 8628 3.4). */
import type { Polled } from '../grant-ports.ts';
import { hashSecret } from '../hash-secret.ts';
import { OAuthFault, type OAuthFaultName } from '../oauth-fault.ts';
import { type CheckIo, checkPerson, NEEDS_ENROLMENT, type SignIn } from '../people/check-person.ts';
import type { PersonRecord } from '../people-ports.ts';
import type { ApplicationRecord } from '../ports.ts';
import { field, requireField, type TokenAnswer, type TokenRequest } from '../token-request.ts';
import { type DelegatedIo, delegatedAnswer, refreshedAnswer, requirePerson } from './delegated-answer.ts';
import { grantedScopes } from './scopes.ts';

export type PersonGrantsIo = CheckIo & DelegatedIo;

type AnswerPersonGrant = (
  io: PersonGrantsIo,
  request: TokenRequest,
  application: ApplicationRecord,
) => Promise<TokenAnswer>;

/** Refused where a second factor is asked for: there is no way to give it here. Throws OAuthFault. */
const requireDone = (signIn: SignIn): PersonRecord => {
  if (signIn.kind === 'done') return signIn.person;
  if (signIn.kind === 'enrol') throw new OAuthFault('needsEnrolment', NEEDS_ENROLMENT);
  throw new OAuthFault(
    'needsSecondFactor',
    'Due to a configuration change made by your administrator, or because you have a second factor, you must use multi-factor authentication. A password alone is not enough here.',
  );
};

export const byPassword: AnswerPersonGrant = async (io, request, application) => {
  const scopes = grantedScopes(request, application.scopes);
  const signIn = await checkPerson(io)({
    tenantId: application.tenantId,
    name: requireField(request, 'username'),
    password: requireField(request, 'password'),
    source: request.source,
    purpose: { subject: 'password', page: '' },
  });
  const person = requireDone(signIn);
  return delegatedAnswer(io)(request, { application, person, scopes, isStrong: false }, io.newId());
};

/** The scopes of the first request at most. A token that comes back a second time ends its family. */
export const byRefreshToken: AnswerPersonGrant = async (io, request, application) => {
  const sha256 = hashSecret(requireField(request, 'refresh_token'));
  const known = await io.grants.findRefreshToken(sha256);
  if (known === null || known.applicationId !== application.id)
    throw new OAuthFault('revokedGrant', 'The refresh token is not valid here, or was revoked: sign in again.');
  const person = await requirePerson(io, known);
  const scopes = grantedScopes(request, known.scopes).filter((scope) => application.scopes.includes(scope));
  return refreshedAnswer(io)(request, { application, person, scopes, isStrong: known.isStrong }, sha256);
};

const POLL_FAULTS: Readonly<Record<Exclude<Polled['kind'], 'approved'>, readonly [OAuthFaultName, string]>> = {
  unknown: ['badDeviceCode', 'The device code is not known, or was redeemed already.'],
  expired: ['expiredDeviceCode', 'The device code has expired. Start again.'],
  slow: ['slowDown', 'The device code is polled too often: wait five seconds longer each time.'],
  pending: ['authorizationPending', 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.'],
  denied: ['authorizationDeclined', 'The person declined.'],
};

/** `device_code`, which is `code` in v1. */
export const byDeviceCode: AnswerPersonGrant = async (io, request, application) => {
  const code = field(request, 'device_code') ?? field(request, 'code') ?? requireField(request, 'device_code');
  const polled = await io.grants.pollDeviceCode(hashSecret(code), application.id, io.now());
  if (polled.kind !== 'approved') {
    const [fault, sentence] = POLL_FAULTS[polled.kind];
    throw new OAuthFault(fault, sentence);
  }
  const person = await requirePerson(io, polled.delegation);
  const { scopes, isStrong } = polled.delegation;
  // the scope of the first request, with offline_access in it, is not repeated in the poll
  const asked = { ...request, form: new Map(request.form).set('scope', 'offline_access') };
  return delegatedAnswer(io)(asked, { application, person, scopes, isStrong }, io.newId());
};
