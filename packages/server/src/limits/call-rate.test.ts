import { expect, test } from 'bun:test';
import { Refusal } from '@longarm/contract/errors';
import { PROFILES } from '@longarm/contract/limits';
import { createManualWorld } from '@longarm/testkit/manual-world';
import { callRate } from './call-rate.ts';

const { limits } = PROFILES['2021-06'];
const newRate = () => {
  const world = createManualWorld();
  const rate = callRate({ limits, now: world.now });
  const attempt = (subject: string, endpoint: string, kind: 'run' | 'read' | 'none'): Refusal | null => {
    try {
      rate.count({ subject, endpoint, rate: kind });
      return null;
    } catch (fault) {
      if (fault instanceof Refusal) return fault;
      throw fault;
    }
  };
  return { world, rate, attempt };
};

test('the documented rates: ten runs a minute, a hundred reads a minute and fifteen hundred an hour', () => {
  const { world, attempt } = newRate();
  for (let call = 0; call < 10; call++) expect(attempt('ana', 'run', 'run')).toBeNull();
  const refused = attempt('ana', 'run', 'run');
  expect([refused?.code, refused?.retryAfterSeconds]).toEqual(['TooManyRequests', 60]);
  expect(refused?.message).toContain('10 in 60 s');
  let reads = 0;
  while (attempt('ana', 'list', 'read') === null) reads++;
  expect(reads).toBe(100);
  expect(attempt('ana', 'list', 'read')?.message).toContain('100 in 60 s and 1500 in 3600 s');
  for (let minute = 1; minute < 15; minute++) {
    world.advance(60_000);
    for (let call = 0; call < 100; call++) expect(attempt('ana', 'list', 'read')).toBeNull();
  }
  world.advance(60_000);
  expect(attempt('ana', 'list', 'read')?.retryAfterSeconds).toBe(45 * 60);
  world.advance(45 * 60_000);
  expect(attempt('ana', 'list', 'read')).toBeNull();
});

test('seconds to wait are whole, rounded up, and at least one', () => {
  const { world, attempt } = newRate();
  for (let call = 0; call < 10; call++) attempt('ana', 'run', 'run');
  world.advance(58_999);
  expect(attempt('ana', 'run', 'run')?.retryAfterSeconds).toBe(2);
  world.advance(1_000);
  expect(attempt('ana', 'run', 'run')?.retryAfterSeconds).toBe(1);
  world.advance(1);
  expect(attempt('ana', 'run', 'run')).toBeNull();
});

test('callers and endpoints count apart, and what is not counted is never refused', () => {
  const { attempt } = newRate();
  for (let call = 0; call < 10; call++) attempt('ana', 'run', 'run');
  expect(attempt('bob', 'run', 'run')).toBeNull();
  expect(attempt('ana', 'cancel', 'read')).toBeNull();
  for (let call = 0; call < 2_000; call++) expect(attempt('ana', 'page', 'none')).toBeNull();
});

test('a call that is given back does not count', () => {
  const { rate, attempt } = newRate();
  for (let call = 0; call < 9; call++) attempt('ana', 'run', 'run');
  rate.count({ subject: 'ana', endpoint: 'run', rate: 'run' })();
  expect(attempt('ana', 'run', 'run')).toBeNull();
  expect(attempt('ana', 'run', 'run')).not.toBeNull();
});
