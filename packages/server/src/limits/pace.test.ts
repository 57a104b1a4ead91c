import { expect, test } from 'bun:test';
import { pace } from './pace.ts';

const start = (terms: { readonly perSecond: number; readonly burst: number; readonly maxWaitMs: number }) => {
  let at = 1_000_000;
  const { turn } = pace({ ...terms, now: () => at });
  const wait = () => {
    const given = turn();
    return given.ok ? given.waitMs : `back in ${given.retryAfterSeconds}`;
  };
  return { wait, pass: (milliseconds: number) => (at += milliseconds) };
};

test('the burst comes at once, and one past it waits for its turn', () => {
  const { wait } = start({ perSecond: 10, burst: 3, maxWaitMs: 1_000 });
  expect([wait(), wait(), wait(), wait(), wait()]).toEqual([0, 0, 0, 100, 200]);
});

test('who would wait for too long is sent away, each to a moment of its own', () => {
  const { wait } = start({ perSecond: 10, burst: 1, maxWaitMs: 200 });
  expect([wait(), wait(), wait()]).toEqual([0, 100, 200]);
  expect([wait(), wait(), wait()]).toEqual(['back in 0.4', 'back in 0.5', 'back in 0.6']);
});

test('being sent away takes no turn from those who are let in', () => {
  const { wait, pass } = start({ perSecond: 10, burst: 1, maxWaitMs: 0 });
  expect([wait(), wait(), wait()]).toEqual([0, 'back in 0.2', 'back in 0.3']);
  pass(100);
  expect([wait(), wait()]).toEqual([0, 'back in 0.3']);
});

test('exactly at the rate nobody waits, ever', () => {
  const { wait, pass } = start({ perSecond: 4, burst: 1, maxWaitMs: 0 });
  for (let count = 0; count < 100; count++) {
    expect(wait()).toBe(0);
    pass(250);
  }
});

test('nobody is sent away for more than five minutes', () => {
  const { wait } = start({ perSecond: 0.01, burst: 1, maxWaitMs: 0 });
  wait();
  for (let count = 0; count < 10; count++) wait();
  expect(wait()).toBe('back in 300');
});

test('a clock that was set back does not hold everybody up', () => {
  const { wait, pass } = start({ perSecond: 1, burst: 1, maxWaitMs: 0 });
  wait();
  pass(-86_400_000);
  expect(wait()).toBe(0);
});
