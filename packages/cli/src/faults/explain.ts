/** Any failure → its exit reason, a sentence, and the next step for the person. */
import { ApiFailure } from '@longarm/client/api-failure';
import { FingerprintMismatch } from '@longarm/client/fetch-pinned-ca';
import { HashMismatch } from '@longarm/client/save-bytes';
import { UnexpectedAnswer } from '@longarm/client/unexpected-answer';
import { Unreachable, type UnreachableReason } from '@longarm/client/unreachable';
import { Refusal } from '@longarm/contract/errors';
import { CliFault } from './cli-fault.ts';
import type { ExitReason } from './exit-codes.ts';

export type Explanation = {
  readonly reason: ExitReason;
  readonly sentence: string;
  readonly next: string | null;
  /** Where a mistake of ours happened; null for everything else. */
  readonly trace: string | null;
};

const NEXT_WHEN_UNREACHABLE: Readonly<Record<UnreachableReason, string>> = {
  refused: 'Check that the server runs and that the address and port are right.',
  'unknown-host': 'Check the spelling of the address, and the name service.',
  untrusted:
    'Give its CA: `longarm login … --ca FILE`, or `--ca-sha256 FINGERPRINT` with the SHA-256 fingerprint of tls/ca.pem in its data folder.',
  cut: 'Check that the address begins with https:// when the server speaks TLS, then try again.',
  silent: 'Check the network and the load of the server, then try again.',
};

const NEXT_BY_CODE: ReadonlyMap<string, string> = new Map([
  ['invalid_client', 'Check client id and secret, and sign in again: `longarm login`.'],
  ['Unauthorized', 'Sign in again: `longarm login`.'],
  ['Forbidden', 'The application needs a further role: see `longarm app create --help` on the server.'],
  ['ActiveRequestAlreadyExists', 'Wait for that action, or end it: `longarm cancel ACTION --comment WHY`.'],
]);

const nextForApi = (failure: ApiFailure): string | null => {
  if (failure.status === 429) {
    const seconds = failure.retryAfterSeconds ?? 60;
    return `Try again in ${seconds} s, or let the command wait by itself: --patience ${seconds + 1}.`;
  }
  return NEXT_BY_CODE.get(failure.code) ?? null;
};

const explainApi = (failure: ApiFailure): Explanation => {
  const request = failure.target === '' ? '' : `, request ${failure.target}`;
  const reason = failure.status >= 500 ? 'serverFailed' : 'refused';
  const verb = reason === 'refused' ? 'refused' : 'failed';
  const sentence = `The server ${verb}: ${failure.message} (${failure.status} ${failure.code}${request})`;
  return { reason, sentence, next: nextForApi(failure), trace: null };
};

/** Errors of the operating system carry a code such as ENOENT; their message names the path. */
const isSystemError = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code);

const plain = (reason: ExitReason, error: Error, next: string | null = null): Explanation => ({
  reason,
  sentence: error.message,
  next,
  trace: null,
});

export const explain = (failure: unknown): Explanation => {
  if (failure instanceof CliFault) return plain(failure.reason, failure, failure.next);
  if (failure instanceof ApiFailure) return explainApi(failure);
  if (failure instanceof Unreachable) return plain('unreachable', failure, NEXT_WHEN_UNREACHABLE[failure.reason]);
  if (failure instanceof FingerprintMismatch) return plain('unreachable', failure);
  if (failure instanceof UnexpectedAnswer) return plain('serverFailed', failure);
  if (failure instanceof Refusal) return plain('refused', failure);
  if (failure instanceof HashMismatch) return plain('local', failure);
  if (failure instanceof Error && isSystemError(failure)) return plain('local', failure);
  const error = failure instanceof Error ? failure : new Error(String(failure));
  const next = 'This is a mistake in longarm. Please report it with the lines below.';
  return { reason: 'mistake', sentence: error.message, next, trace: error.stack ?? null };
};
