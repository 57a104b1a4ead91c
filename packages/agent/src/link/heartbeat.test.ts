import { expect, test } from 'bun:test';
import { manualClock } from '../../test/manual-clock.ts';
import { startHeartbeat } from './heartbeat.ts';

const start = (random: number) => {
  const clock = manualClock();
  const beats: number[] = [];
  const silences: number[] = [];
  const heartbeat = startHeartbeat({ after: clock.after, random: () => random }, 1_000, {
    beat: () => beats.push(clock.now()),
    silent: () => silences.push(clock.now()),
  });
  return { clock, beats, silences, heartbeat };
};

test.each([
  [0, [900, 1_800, 2_700]],
  [0.5, [1_000, 2_000, 3_000]],
  [0.999, [1_099.8, 2_199.6, 3_299.4]],
])('beats vary by a tenth (random %d)', (random, expected) => {
  const { clock, beats } = start(random);
  clock.advance(3_350);
  expect(beats.slice(0, 3).map((at) => Math.round(at * 10) / 10)).toEqual(expected);
});

test('two intervals without a word are silence', () => {
  const { clock, silences } = start(0.5);
  clock.advance(1_999);
  expect(silences).toEqual([]);
  clock.advance(1);
  expect(silences).toEqual([2_000]);
});

test('any word puts silence off', () => {
  const { clock, silences, heartbeat } = start(0.5);
  clock.advance(1_500);
  heartbeat.heard();
  clock.advance(1_999);
  expect(silences).toEqual([]);
  clock.advance(1);
  expect(silences).toEqual([3_500]);
});

test('stopped, nothing is left to fire', () => {
  const { clock, beats, silences, heartbeat } = start(0.5);
  heartbeat.stop();
  expect(clock.pending()).toBe(0);
  clock.advance(10_000);
  expect([...beats, ...silences]).toEqual([]);
});
