/**
 * Refusals of the token endpoints, in OAuth 2.0's form (RFC 6749 5.2) with the numbers that clients of Entra ID
 * print. The description never says which of id and secret was wrong where that would tell a stranger something.
 */
export const OAUTH_FAULTS = {
  invalid_client: { status: 401, number: 7000215 },
  unauthorized_client: { status: 400, number: 700016 },
  invalid_request: { status: 400, number: 900144 },
  unsupported_grant_type: { status: 400, number: 70003 },
  invalid_scope: { status: 400, number: 70011 },
} as const;
export type OAuthError = keyof typeof OAUTH_FAULTS;

export class OAuthFault extends Error {
  override readonly name = 'OAuthFault';
  readonly error: OAuthError;

  constructor(error: OAuthError, sentence: string) {
    super(sentence);
    this.error = error;
  }
}
