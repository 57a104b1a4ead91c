import { expect, test } from 'bun:test';
import { type Attempt, signInThrottle } from './sign-in-throttle.ts';

const open = () => {
  const clock = { now: 1_000_000 };
  const throttle = signInThrottle({ now: () => clock.now });
  const attempt = (account = 'anna', source = '10.0.0.1'): Attempt => ({ kind: 'person', account, source });
  const fail = (times: number, ...who: Parameters<typeof attempt>) => {
    for (let count = 0; count < times; count++) throttle.failed(attempt(...who));
  };
  return { clock, throttle, attempt, fail };
};

test('the first five failures cost nothing; each further one doubles the wait, up to a minute', () => {
  const { throttle, attempt, fail } = open();
  fail(5);
  expect(throttle.waitMs(attempt())).toBe(0);
  const waits = Array.from({ length: 8 }, () => {
    fail(1);
    return throttle.waitMs(attempt());
  });
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  expect(() => throttle.require(attempt('ANNA'))).toThrow('Try again in 60 seconds');
});

test('a stranger makes a person elsewhere wait for five seconds at most', () => {
  const { throttle, attempt, fail } = open();
  fail(1_000, 'anna', '192.0.2.66');
  expect(throttle.waitMs(attempt('anna', '10.0.0.1'))).toBe(5_000);
});

test('a source that fails at many accounts waits with all of them', () => {
  const { throttle, attempt, fail } = open();
  for (let account = 0; account < 21; account++) fail(1, `person ${account}`);
  expect(throttle.waitMs(attempt('somebody new'))).toBe(1_000);
  expect(throttle.waitMs(attempt('somebody new', '10.0.0.2'))).toBe(0);
});

test('a success forgets the account’s failures, and time forgets all', () => {
  const { clock, throttle, attempt, fail } = open();
  fail(9);
  throttle.succeeded(attempt());
  expect(throttle.waitMs(attempt())).toBe(0);
  fail(9);
  clock.now += 900_000;
  throttle.forget();
  fail(5);
  expect(throttle.waitMs(attempt())).toBe(0);
});
