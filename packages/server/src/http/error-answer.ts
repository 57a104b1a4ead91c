/**
 * The one translator of errors. A refusal becomes its documented status and body; anything else is our own fault:
 * logged with its cause, answered without it.
 */
import { ERRORS, type ErrorCode, Refusal } from '@longarm/contract/errors';
import { faultCode } from '@longarm/contract/system-fault';
import { jsonAnswer } from './json-answer.ts';

export type FaultLog = (requestId: string, fault: unknown) => void;

/** Seconds to suggest when a refusal for too many requests does not know better. */
const RETRY_SECONDS = 10;

const refusalOf = (fault: unknown): Refusal | null => {
  if (fault instanceof Refusal) return fault;
  // the disk is full: nothing was lost, and the caller may come again
  if (faultCode(fault) === 'ENOSPC')
    return new Refusal('InternalServerError', 'The disk of the server is full. Free space there, and try again.');
  // the caller went away: nobody reads the answer, and the server did not fail
  if (fault instanceof DOMException && fault.name === 'AbortError')
    return new Refusal('InvalidRequestBody', 'The connection was closed before the body was whole.');
  return null;
};

/** The code that the fault is answered with. */
export const codeOf = (fault: unknown): ErrorCode => refusalOf(fault)?.code ?? 'InternalServerError';

export const errorAnswer = (fault: unknown, requestId: string, log: FaultLog): Response => {
  const refusal = refusalOf(fault);
  if (refusal === null) log(requestId, fault);
  const code = refusal?.code ?? 'InternalServerError';
  const message =
    refusal?.message ?? 'The server failed on this request. Its log has the cause under the target given here.';
  const { status } = ERRORS[code];
  const headers: Record<string, string> = {};
  if (status === 429) headers['Retry-After'] = String(refusal?.retryAfterSeconds ?? RETRY_SECONDS);
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  return jsonAnswer({ error: { code, message, target: requestId } }, status, headers);
};
