import { expect, test } from 'bun:test';
import { startSweeper } from './sweeper.ts';

/** Chores that a test lets begin and end by hand. */
const newSweeper = () => {
  const ticks: (() => void)[] = [];
  const stopped: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const faults: string[] = [];
  const stop = startSweeper(
    {
      every: (milliseconds, call) => {
        ticks.push(call);
        return () => void stopped.push(milliseconds);
      },
      onFault: (chore, fault) => void faults.push(`${chore}: ${fault instanceof Error ? fault.message : ''}`),
    },
    [
      {
        name: 'slow',
        everyMs: 500,
        run: () => {
          const end = Promise.withResolvers<void>();
          ends.push(end);
          return end.promise;
        },
      },
      { name: 'broken', everyMs: 1_000, run: () => Promise.reject(new Error('no')) },
    ],
  );
  return { slow: () => ticks[0]?.(), broken: () => ticks[1]?.(), stopped, ends, faults, stop };
};
/** Lets everything that was settled be told on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a chore that still runs is not begun again, and is once it has ended', async () => {
  const { slow, ends } = newSweeper();
  slow();
  slow();
  expect(ends).toHaveLength(1);
  ends[0]?.resolve();
  await settle();
  slow();
  expect(ends).toHaveLength(2);
});

test('a chore that fails is told of, and tried again; others go on', async () => {
  const { broken, slow, ends, faults } = newSweeper();
  broken();
  await settle();
  broken();
  slow();
  await settle();
  expect(faults).toEqual(['broken: no', 'broken: no']);
  expect(ends).toHaveLength(1);
});

test('stopping stops the clocks, and waits for what runs', async () => {
  const { slow, ends, stop, stopped } = newSweeper();
  slow();
  let over = false;
  const stopping = stop().then(() => {
    over = true;
  });
  expect(stopped).toEqual([500, 1_000]);
  await settle();
  expect(over).toBe(false);
  ends[0]?.resolve();
  await stopping;
});
