/** The server's refusals and failures, as the contract and OAuth 2.0 (RFC 6749, 5.2) write them. */
import { z } from 'zod';

/** A failure answer is read up to here; what is longer is no sentence. */
const FAILURE_BODY_CHARACTERS = 65_536;

/** The server answered, and not with what was asked for. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  /** A code of the contract's table, an OAuth error, or `Unknown` when something else answered. */
  readonly code: string;
  readonly status: number;
  /** Id of the request, to be found in the server's log; empty when none was told. */
  readonly target: string;
  /** Whole seconds until the same call may pass; null when not told. */
  readonly retryAfterSeconds: number | null;

  constructor(facts: {
    readonly code: string;
    readonly message: string;
    readonly status: number;
    readonly target: string;
    readonly retryAfterSeconds: number | null;
  }) {
    super(facts.message);
    this.code = facts.code;
    this.status = facts.status;
    this.target = facts.target;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

const ApiBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), target: z.string().nullish() }),
});
const OAuthBody = z.object({
  error: z.string(),
  error_description: z.string().optional(),
  correlation_id: z.string().optional(),
});

/** `Retry-After` in whole seconds: a number, or an HTTP date against `nowMs` (RFC 9110, 10.2.3). */
const readRetryAfter = (header: string | null, nowMs: number): number | null => {
  if (header === null) return null;
  const seconds = Number(header);
  const waitSeconds = Number.isFinite(seconds) ? seconds : (Date.parse(header) - nowMs) / 1000;
  return Number.isFinite(waitSeconds) ? Math.max(0, Math.ceil(waitSeconds)) : null;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** Reads an answer that is not a success. Never throws for what the body holds. */
export const readApiFailure = async (response: Response, nowMs: number): Promise<ApiFailure> => {
  const text = (await response.text().catch(() => '')).slice(0, FAILURE_BODY_CHARACTERS);
  const body = parseJson(text);
  const rest = {
    status: response.status,
    retryAfterSeconds: readRetryAfter(response.headers.get('retry-after'), nowMs),
  };
  const api = ApiBody.safeParse(body).data?.error;
  if (api !== undefined) {
    return new ApiFailure({ code: api.code, message: api.message, target: api.target ?? '', ...rest });
  }
  const oauth = OAuthBody.safeParse(body).data;
  if (oauth !== undefined) {
    const message = oauth.error_description ?? oauth.error;
    return new ApiFailure({ code: oauth.error, message, target: oauth.correlation_id ?? '', ...rest });
  }
  const location = response.headers.get('location');
  const message =
    location === null
      ? `Expected an answer of the API, got status ${response.status} without one: something else may be listening there.`
      : `Expected an answer of the API, got a redirect to ${location}: use that address as the server.`;
  return new ApiFailure({ code: 'Unknown', message, target: '', ...rest });
};
