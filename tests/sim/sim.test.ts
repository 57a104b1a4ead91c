import { expect, test } from 'bun:test';
import { runWorld } from './world.ts';

/** Worlds in which something was wrong once, and those that every run looks at. */
const SEEDS = [...Array.from({ length: 20 }, (_, index) => index + 1), 115, 537, 5285, 7423, 9412, 29800];

test('the same seed is the same world, to the last line', () => {
  const lines: string[][] = [[], []];
  const [first, second] = lines.map((told) => runWorld(6, { print: (line) => told.push(line) }));
  expect(lines[1]).toEqual(lines[0] ?? []);
  expect(second?.hash).toBe(first?.hash ?? '');
  expect(lines[0]?.length).toBeGreaterThan(20);
});

test('another seed is another world', () => {
  expect(runWorld(2).hash).not.toBe(runWorld(3).hash);
});

test('the invariants hold in each of these worlds', () => {
  const violations = SEEDS.map((seed) => runWorld(seed)).filter(({ violation }) => violation !== null);
  expect(violations.map(({ seed, violation }) => ({ seed, violation }))).toEqual([]);
}, 60_000);
