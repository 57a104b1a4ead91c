import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { slidingWindows, type Window } from './sliding-window.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 1, 4, 12);
const TEN: readonly Window[] = [{ calls: 10, milliseconds: MINUTE }];
const BOTH: readonly Window[] = [
  { calls: 3, milliseconds: MINUTE },
  { calls: 5, milliseconds: HOUR },
];

/** Waiting time, or 0 where the call was counted. */
const waitOf = (
  windows: ReturnType<typeof slidingWindows>,
  bounds: readonly Window[],
  at: number,
  key = 'k',
): number => {
  const taken = windows.take(key, bounds, START + at);
  return taken.ok ? 0 : taken.retryAfterMs;
};

describe('a window slides', () => {
  test('ten calls fit, the eleventh waits for the first to leave', () => {
    const windows = slidingWindows(HOUR);
    for (let call = 0; call < 10; call++) expect(waitOf(windows, TEN, call * 1_000)).toBe(0);
    expect(waitOf(windows, TEN, 10_000)).toBe(50_000);
    expect(waitOf(windows, TEN, MINUTE - 1)).toBe(1);
    expect(waitOf(windows, TEN, MINUTE)).toBe(0);
    expect(waitOf(windows, TEN, MINUTE)).toBe(1_000);
  });

  test('no edge lets twice the rate through', () => {
    const windows = slidingWindows(HOUR);
    for (let call = 0; call < 10; call++) expect(waitOf(windows, TEN, MINUTE - 1)).toBe(0);
    expect(waitOf(windows, TEN, MINUTE + 1)).toBe(MINUTE - 2);
    expect(waitOf(windows, TEN, 2 * MINUTE - 2)).toBe(1);
    expect(waitOf(windows, TEN, 2 * MINUTE - 1)).toBe(0);
  });

  test('of several the longest wait counts, and a refused call counts in none', () => {
    const windows = slidingWindows(HOUR);
    for (const at of [0, 1, 2]) expect(waitOf(windows, BOTH, at)).toBe(0);
    for (let call = 0; call < 20; call++) expect(waitOf(windows, BOTH, 3)).toBe(MINUTE - 3);
    for (const at of [MINUTE, MINUTE + 1]) expect(waitOf(windows, BOTH, at)).toBe(0);
    expect(waitOf(windows, BOTH, MINUTE + 2)).toBe(HOUR - MINUTE - 2);
    expect(waitOf(windows, BOTH, HOUR)).toBe(0);
  });

  test('a call costs the same however many came before it', () => {
    const windows = slidingWindows(HOUR);
    const generous: readonly Window[] = [{ calls: 1_000_000, milliseconds: MINUTE }];
    // two minutes of 2,000 calls a second; looking at all of them each time took a minute
    for (let call = 0; call < 240_000; call++) {
      if (waitOf(windows, generous, call / 2) !== 0) throw new Error(`call ${call} was refused`);
    }
    expect(waitOf(windows, TEN, 120_000)).toBeGreaterThan(0);
  });

  test('keys have windows of their own', () => {
    const windows = slidingWindows(HOUR);
    for (let call = 0; call < 10; call++) waitOf(windows, TEN, 0, 'a');
    expect(waitOf(windows, TEN, 0, 'a')).toBe(MINUTE);
    expect(waitOf(windows, TEN, 0, 'b')).toBe(0);
  });

  test('a bound below one lets nothing through; a fraction is rounded down', () => {
    expect(waitOf(slidingWindows(HOUR), [{ calls: 0.5, milliseconds: MINUTE }], 0)).toBe(MINUTE);
    const windows = slidingWindows(HOUR);
    const bounds = [{ calls: 1.9, milliseconds: MINUTE }];
    expect([waitOf(windows, bounds, 0), waitOf(windows, bounds, 0)]).toEqual([0, MINUTE]);
  });
});

describe('a call that is given back', () => {
  test('makes room for one', () => {
    const windows = slidingWindows(HOUR);
    const bounds = [{ calls: 2, milliseconds: MINUTE }];
    windows.take('k', bounds, START);
    const taken = windows.take('k', bounds, START + 5);
    expect(waitOf(windows, bounds, 10)).toBe(MINUTE - 10);
    if (!taken.ok) throw new Error('the second call fits');
    taken.giveBack();
    expect(waitOf(windows, bounds, 10)).toBe(0);
    expect(waitOf(windows, bounds, 10)).toBe(MINUTE - 10);
  });

  test('takes no other call of the same moment with it', () => {
    const windows = slidingWindows(HOUR);
    const bounds = [{ calls: 3, milliseconds: MINUTE }];
    const first = windows.take('k', bounds, START);
    windows.take('k', bounds, START);
    if (!first.ok) throw new Error('the first call fits');
    first.giveBack();
    expect(waitOf(windows, bounds, 0)).toBe(0);
    expect(waitOf(windows, bounds, 0)).toBe(0);
    expect(waitOf(windows, bounds, 0)).toBe(MINUTE);
  });
});

test('what nobody has asked for longest is forgotten, and nothing else', () => {
  const windows = slidingWindows(HOUR);
  const bounds = [{ calls: 1, milliseconds: HOUR }];
  waitOf(windows, bounds, 0, 'early');
  waitOf(windows, bounds, 1, 'late');
  windows.forget(START + HOUR);
  expect(waitOf(windows, bounds, HOUR, 'early')).toBe(0);
  expect(waitOf(windows, bounds, HOUR, 'late')).toBe(1);
});

test('in no stretch of a minute are there ever more calls than the bound, and whoever waits as told gets in', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 80 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 5 }), (steps, calls) => {
      const windows = slidingWindows(HOUR);
      const bounds = [{ calls, milliseconds: MINUTE }];
      const taken: number[] = [];
      let now = 0;
      for (const step of steps) {
        now += step;
        const wait = waitOf(windows, bounds, now);
        now += wait;
        if (wait > 0) expect(waitOf(windows, bounds, now)).toBe(0);
        taken.push(now);
      }
      for (const at of taken)
        expect(taken.filter((other) => other > at - MINUTE && other <= at).length).toBeLessThanOrEqual(calls);
    }),
  );
});
