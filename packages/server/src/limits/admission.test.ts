import { expect, test } from 'bun:test';
import { admission, LATE_MS } from './admission.ts';

/** A loop on a fake clock: each tick comes so late as the test says. */
const start = (terms: { readonly perSecond: number; readonly maxWaitMs: number }) => {
  let at = 1_000_000;
  let due: { readonly at: number; readonly wake: () => void } | null = null;
  const begun: number[] = [];
  const away: number[] = [];
  const enter = admission({
    ...terms,
    now: () => at,
    after: (delayMs, wake) => {
      due = { at: at + delayMs, wake };
    },
  });
  const come = (count: number) => {
    for (let one = 0; one < count; one++)
      enter({ begin: () => void begun.push(at), sendAway: (seconds) => void away.push(seconds) });
  };
  /** How many began in the next tick. */
  const tick = (lateMs = 0): number => {
    const before = begun.length;
    const next = due;
    due = null;
    if (next === null) return 0;
    at = next.at + lateMs;
    next.wake();
    return begun.length - before;
  };
  const ticks = (count: number, lateMs = 0) => Array.from({ length: count }, () => tick(lateMs));
  return {
    come,
    tick,
    ticks,
    begun,
    away,
    isWaiting: () => due !== null,
    pass: (milliseconds: number) => (at += milliseconds),
  };
};

test('a tenth of a second may begin at once, the others in groups at the rate', () => {
  const { come, ticks, begun, isWaiting } = start({ perSecond: 1_000, maxWaitMs: 10_000 });
  come(175);
  expect(begun).toHaveLength(100);
  expect(ticks(3)).toEqual([25, 25, 25]);
  expect(isWaiting()).toBe(false);
});

test('a rate that makes less than one for each tick holds all the same', () => {
  const { come, ticks } = start({ perSecond: 10, maxWaitMs: 10_000 });
  come(3);
  expect(ticks(8)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
});

test('while the loop is late fewer begin, and some always do', () => {
  const { come, ticks } = start({ perSecond: 1_000, maxWaitMs: 10_000 });
  come(1_100);
  // a late tick earns no more than two would
  expect(ticks(4, LATE_MS + 1)).toEqual([25, 12, 13, 12]);
  expect(ticks(20, LATE_MS + 1).reduce((sum, count) => sum + count, 0)).toBe(250);
});

test('at the limit it is not late yet', () => {
  const { come, ticks } = start({ perSecond: 1_000, maxWaitMs: 10_000 });
  come(1_000);
  expect(ticks(3, LATE_MS)).toEqual([50, 50, 50]);
});

test('when the loop is in time again the rate comes back within half a second', () => {
  const { come, ticks } = start({ perSecond: 1_000, maxWaitMs: 10_000 });
  come(5_000);
  ticks(10, LATE_MS + 1);
  const recovering = ticks(20);
  expect(recovering[0]).toBeLessThan(10);
  expect(recovering.at(-1)).toBe(25);
  expect(recovering.toSorted((a, b) => a - b)).toEqual(recovering);
});

test('who would wait for too long is sent away, each to a moment of its own', () => {
  const { come, away } = start({ perSecond: 10, maxWaitMs: 200 });
  come(1 + 2);
  expect(away).toEqual([]);
  come(2);
  expect(away).toEqual([0.4, 0.5]);
});

test('who has waited for twice the longest wait is not begun with any more', () => {
  const { come, tick, ticks, begun, away } = start({ perSecond: 10, maxWaitMs: 1_000 });
  come(2);
  tick(2_001);
  ticks(20);
  expect(begun).toHaveLength(1);
  expect(away).toHaveLength(1);
});

test('a clock that was set back holds nobody up', () => {
  const { come, begun, ticks, pass } = start({ perSecond: 10, maxWaitMs: 10_000 });
  come(1);
  pass(-86_400_000);
  come(1);
  ticks(4);
  expect(begun).toHaveLength(2);
});
