import { expect, test } from 'bun:test';
import { backoff, type Course } from './backoff.ts';

const most = () => 1;
const pauses = (courses: readonly Course[], random = most): readonly number[] => {
  const { next } = backoff(random);
  return courses.map((course) => next(course, 0));
};
const times = <T>(count: number, course: T): T[] => Array.from({ length: count }, () => course);

test('attempts that fail: the ceiling doubles from half a second up to a minute', () => {
  expect(pauses(times(9, 'failed'))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  expect(pauses(times(60, 'failed')).at(-1)).toBe(60_000);
});

test('connections that were welcomed and soon over: up to eight seconds', () => {
  expect(pauses(times(7, 'short'))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});

test('a welcome after many failures shortens the pause, and does not make them forgotten', () => {
  expect(pauses([...times(8, 'failed' as const), 'short', 'failed'])).toEqual([
    ...pauses(times(8, 'failed')),
    8_000,
    60_000,
  ]);
});

test('one that lived for a heartbeat makes everything before it forgotten', () => {
  expect(pauses([...times(8, 'failed' as const), 'stable', 'failed']).slice(-2)).toEqual([500, 1_000]);
});

test('the jitter is full: any part of the ceiling, also none of it', () => {
  expect(pauses(times(8, 'failed'), () => 0).at(-1)).toBe(0);
  expect(pauses(times(8, 'failed'), () => 0.25).at(-1)).toBe(15_000);
});

test('what the server asked for is kept, with the jitter on top', () => {
  expect(backoff(() => 0).next('stable', 300_000)).toBe(300_000);
  expect(backoff(most).next('stable', 300_000)).toBe(300_500);
});
