import { expect, test } from 'bun:test';
import { ERROR_CODES, ERRORS, Refusal } from './errors.ts';

// Typed by hand on purpose: wire contract 1.12, which clients hold us to.
const DOCUMENTED: Record<string, number> = {
  BadRequest: 400,
  ODataError: 400,
  InvalidInput: 400,
  InvalidRequestBody: 400,
  InvalidHashValue: 400,
  InvalidDomainName: 400,
  InvalidIpAddress: 400,
  InvalidUrl: 400,
  MaximumBatchSizeExceeded: 400,
  MissingRequiredParameter: 400,
  OsPlatformNotSupported: 400,
  ClientVersionNotSupported: 400,
  ActiveRequestAlreadyExists: 400,
  Unauthorized: 401,
  Forbidden: 403,
  DisabledFeature: 403,
  DisallowedOperation: 403,
  NotFound: 404,
  ResourceNotFound: 404,
  TooManyRequests: 429,
  InternalServerError: 500,
};

test('codes and statuses are the documented ones', () => {
  const statuses = Object.fromEntries(ERROR_CODES.map((code): [string, number] => [code, ERRORS[code].status]));
  expect(statuses).toEqual(DOCUMENTED);
});

test('what clients take as permanent is not called retryable', () => {
  expect(ERRORS.ClientVersionNotSupported.retryable).toBe(false);
  expect(ERRORS.OsPlatformNotSupported.retryable).toBe(false);
  expect(ERRORS.ActiveRequestAlreadyExists.retryable).toBe(true);
  expect(ERRORS.TooManyRequests.retryable).toBe(true);
});

test('a refusal carries its code, its sentence and its seconds', () => {
  const refusal = new Refusal('TooManyRequests', 'Too many calls.', { retryAfterSeconds: 7 });
  expect(refusal).toBeInstanceOf(Error);
  expect([refusal.name, refusal.code, refusal.message, refusal.retryAfterSeconds]).toEqual([
    'Refusal',
    'TooManyRequests',
    'Too many calls.',
    7,
  ]);
  expect(new Refusal('BadRequest', 'No.').retryAfterSeconds).toBeUndefined();
});
