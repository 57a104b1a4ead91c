import { expect, test } from 'bun:test';
import { manualClock } from '../../test/manual-clock.ts';
import { serverClock } from './server-clock.ts';

test('before the first word it goes on from what was known last', () => {
  const local = manualClock();
  local.advance(77);
  const clock = serverClock(local.now, 5_000);
  local.advance(100);
  expect(clock.now()).toBe(5_100);
});

test('what the server says is carried by the clock that nobody sets', () => {
  const local = manualClock();
  const clock = serverClock(local.now, 5_000_000);
  clock.learn(1_000);
  local.advance(250);
  expect(clock.now()).toBe(1_250);
  clock.learn(9_000);
  expect(clock.now()).toBe(9_000);
});
