/** The world's failures between here and the server: no answer came, or not a whole one. */

export const UNREACHABLE_REASONS = ['refused', 'unknown-host', 'untrusted', 'cut', 'silent'] as const;
export type UnreachableReason = (typeof UNREACHABLE_REASONS)[number];

const SENTENCES: Readonly<Record<UnreachableReason, string>> = {
  refused: 'nothing accepts connections there',
  'unknown-host': 'no address is known for that name',
  untrusted: 'its TLS certificate is not trusted',
  cut: 'the connection was cut',
  silent: 'no answer came in time',
};

/** No answer from the server; `reason` says why, `cause` is what the runtime said. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly reason: UnreachableReason;
  /** Scheme, host and port: never a path or a query, which may hold a signed link. */
  readonly origin: string;

  constructor(reason: UnreachableReason, origin: string, cause?: unknown) {
    const detail = cause instanceof Error && reason === 'untrusted' ? ` (${codeOf(cause)})` : '';
    super(`Cannot reach ${origin}: ${SENTENCES[reason]}${detail}.`, { cause });
    this.reason = reason;
    this.origin = origin;
  }
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.name);

const REASON_BY_CODE: ReadonlyMap<string, UnreachableReason> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ConnectionRefused', 'refused'],
  ['FailedToOpenSocket', 'refused'],
  ['ENOTFOUND', 'unknown-host'],
  ['EAI_AGAIN', 'unknown-host'],
  ['ETIMEDOUT', 'silent'],
  ['TimeoutError', 'silent'],
]);

/** OpenSSL's names of verification faults, and the runtime's own. */
const TRUST_FAULT = /CERT|SIGNATURE|ISSUER|ERR_TLS|ERR_SSL/;

const reasonOf = (error: Error): UnreachableReason => {
  const code = codeOf(error);
  return REASON_BY_CODE.get(code) ?? (TRUST_FAULT.test(code) ? 'untrusted' : 'cut');
};

/** Faults that are no fault of the way: they pass as they are. */
const PASSES = new Set(['Unreachable', 'ApiFailure', 'UnexpectedAnswer', 'AbortError']);

/** What the transport threw, as `Unreachable`; where the caller aborted, the caller's own reason. */
export const asUnreachable = (url: string, error: unknown, signal?: AbortSignal): unknown => {
  if (signal?.aborted) return signal.reason;
  if (!(error instanceof Error) || PASSES.has(error.name)) return error;
  return new Unreachable(reasonOf(error), new URL(url).origin, error);
};

/** Runs one exchange with the server; what the transport throws becomes `Unreachable`. */
export const reach = async <Answer>(
  url: string,
  exchange: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> => {
  try {
    return await exchange();
  } catch (error) {
    throw asUnreachable(url, error, signal);
  }
};
