/**
 * Refusals of the token endpoints, in OAuth 2.0's form (RFC 6749 5.2, RFC 8628 3.5) with the numbers that clients of
 * Entra ID print. The sentence never says which of name and secret was wrong where that would tell a stranger something.
 */

type Row = {
  readonly error: string;
  readonly status: 400 | 401 | 429;
  /** What follows AADSTS. */
  readonly number: number;
  /** What was given was wrong as a guess is wrong: it is counted, and slows the next one down. */
  readonly isGuess?: true;
  /** Nothing was refused: it goes on. */
  readonly isUsual?: true;
};

export const OAUTH_FAULTS = {
  wrongSecret: { error: 'invalid_client', status: 401, number: 7000215, isGuess: true },
  expiredSecret: { error: 'invalid_client', status: 401, number: 7000222 },
  wrongAssertion: { error: 'invalid_client', status: 401, number: 700027, isGuess: true },
  staleAssertion: { error: 'invalid_client', status: 401, number: 700024 },
  noCredential: { error: 'invalid_client', status: 401, number: 7000218 },
  badRequest: { error: 'invalid_request', status: 400, number: 900144 },
  unknownGrant: { error: 'unsupported_grant_type', status: 400, number: 70003 },
  grantNotAllowed: { error: 'unauthorized_client', status: 400, number: 70001 },
  badScope: { error: 'invalid_scope', status: 400, number: 70011 },
  wrongPassword: { error: 'invalid_grant', status: 400, number: 50126, isGuess: true },
  disabledPerson: { error: 'invalid_grant', status: 400, number: 50057 },
  needsSecondFactor: { error: 'invalid_grant', status: 400, number: 50076 },
  needsEnrolment: { error: 'invalid_grant', status: 400, number: 50079 },
  copiedKey: { error: 'invalid_grant', status: 400, number: 500121 },
  wrongCode: { error: 'invalid_grant', status: 400, number: 500121, isGuess: true },
  revokedGrant: { error: 'invalid_grant', status: 400, number: 70000 },
  expiredRefresh: { error: 'invalid_grant', status: 400, number: 700082 },
  expiredCode: { error: 'invalid_grant', status: 400, number: 70008 },
  redeemedCode: { error: 'invalid_grant', status: 400, number: 54005 },
  wrongVerifier: { error: 'invalid_grant', status: 400, number: 501481 },
  wrongRedirect: { error: 'invalid_grant', status: 400, number: 50011 },
  authorizationPending: { error: 'authorization_pending', status: 400, number: 70016, isUsual: true },
  slowDown: { error: 'slow_down', status: 400, number: 70016, isUsual: true },
  authorizationDeclined: { error: 'authorization_declined', status: 400, number: 70017 },
  expiredDeviceCode: { error: 'expired_token', status: 400, number: 70020 },
  badDeviceCode: { error: 'bad_verification_code', status: 400, number: 70018 },
  tooManyFailures: { error: 'temporarily_unavailable', status: 429, number: 50053 },
} as const satisfies Record<string, Row>;
export type OAuthFaultName = keyof typeof OAUTH_FAULTS;

export class OAuthFault extends Error {
  override readonly name = 'OAuthFault';
  readonly fault: OAuthFaultName;
  readonly retryAfterSeconds: number | null;

  constructor(fault: OAuthFaultName, sentence: string, retryAfterSeconds: number | null = null) {
    super(sentence);
    this.fault = fault;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get row(): Row {
    return OAUTH_FAULTS[this.fault];
  }
}
