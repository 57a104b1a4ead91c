import { expect, test } from 'bun:test';
import { backoffMs } from './backoff.ts';

const most = () => 1;
const none = () => 0;

test('the ceiling doubles from half a second up to a minute', () => {
  expect([1, 2, 3, 4, 7, 8, 50].map((failures) => backoffMs(failures, most, 0))).toEqual([
    500, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
  ]);
});

test('the jitter is full: any part of the ceiling, also none of it', () => {
  expect(backoffMs(8, none, 0)).toBe(0);
  expect(backoffMs(8, () => 0.25, 0)).toBe(15_000);
});

test('what the server asked for is kept, with the jitter on top', () => {
  expect(backoffMs(1, none, 300_000)).toBe(300_000);
  expect(backoffMs(1, most, 300_000)).toBe(300_500);
});
