/**
 * The one table of error codes that the REST API answers with: code → status, and whether the same call may
 * succeed later. Source: wire contract 1.12 (the original's "common errors" page and what its clients look for).
 */

type ErrorRow = { readonly status: number; readonly retryable: boolean; readonly meaning: string };

export const ERRORS = {
  BadRequest: { status: 400, retryable: false, meaning: 'the request cannot be served as it stands' },
  ODataError: { status: 400, retryable: false, meaning: 'a query option cannot be understood' },
  InvalidInput: { status: 400, retryable: false, meaning: 'a value is not valid' },
  InvalidRequestBody: { status: 400, retryable: false, meaning: 'the body cannot be parsed' },
  InvalidHashValue: { status: 400, retryable: false, meaning: 'a hash has not the form of one' },
  InvalidDomainName: { status: 400, retryable: false, meaning: 'a domain name has not the form of one' },
  InvalidIpAddress: { status: 400, retryable: false, meaning: 'an IP address has not the form of one' },
  InvalidUrl: { status: 400, retryable: false, meaning: 'a URL has not the form of one' },
  MaximumBatchSizeExceeded: { status: 400, retryable: false, meaning: 'too many items in one request' },
  MissingRequiredParameter: { status: 400, retryable: false, meaning: 'a parameter is missing' },
  OsPlatformNotSupported: { status: 400, retryable: false, meaning: 'the device cannot do this' },
  ClientVersionNotSupported: { status: 400, retryable: false, meaning: 'the agent on the device is too old' },
  ActiveRequestAlreadyExists: { status: 400, retryable: true, meaning: 'the device has an action that is not final' },
  Unauthorized: { status: 401, retryable: false, meaning: 'no valid token' },
  Forbidden: { status: 403, retryable: false, meaning: 'the token lacks the permission' },
  DisabledFeature: { status: 403, retryable: false, meaning: 'the feature is switched off' },
  DisallowedOperation: { status: 403, retryable: false, meaning: 'the operation is not allowed here' },
  NotFound: { status: 404, retryable: false, meaning: 'no such route' },
  ResourceNotFound: { status: 404, retryable: false, meaning: 'no such resource' },
  TooManyRequests: { status: 429, retryable: true, meaning: 'too many calls, or too many sessions running' },
  InternalServerError: { status: 500, retryable: true, meaning: 'the server failed; the log has the cause' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as readonly ErrorCode[];

/**
 * A caller's mistake, or a limit that stands in the way: thrown by parsers and use cases, translated once, at
 * the door. The sentence says what was expected, what was got, and what to do; it never holds a secret.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  /** Whole seconds until the same call may pass; only with TooManyRequests. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, sentence: string, options: { readonly retryAfterSeconds?: number } = {}) {
    super(sentence);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
