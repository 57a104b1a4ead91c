import { expect, test } from 'bun:test';
import { type Range, shareOut } from '../../scripts/sim/share-out.ts';
import { newTally, type Report } from '../../scripts/sim/tally.ts';

/** A program that reports on its seeds as the real one does: 7 violates something, and 9 takes the process with it. */
const PROGRAM = `
  const [from, count] = process.argv.slice(1).map(Number);
  for (let seed = from; seed < from + count; seed++) {
    if (seed === 9) process.kill(process.pid, 'SIGKILL');
    const violation = seed === 7 ? 'VIOLATES something' : null;
    console.log(JSON.stringify({ seed, violation, faults: { cancel: 2 }, endings: { Failed: 1 }, virtualMs: 5 }));
  }
`;

const spawn = ({ from, count }: Range) =>
  Bun.spawn([process.execPath, '-e', PROGRAM, String(from), String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });

const run = async (whole: Range, goesOn = () => true) => {
  const tally = newTally(whole.from);
  const seeds: number[] = [];
  const onReport = (report: Report) => {
    seeds.push(report.seed);
    tally.add(report);
  };
  await shareOut({ spawn, onReport, onSpent: () => {}, goesOn }, whole, 2);
  return { seeds: seeds.toSorted((a, b) => a - b), text: tally.text({ seconds: 1, processorSeconds: 1 }).split('\n') };
};

test('each seed is reported on once, whatever one of them does', async () => {
  const { seeds, text } = await run({ from: 1, count: 600 });
  expect(seeds).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
  expect(text.filter((line) => line.startsWith('seed '))).toEqual([
    'seed 7: VIOLATES something',
    'seed 9: ended its process with SIGKILL',
  ]);
  expect(text.at(-1)).toBe('598 passed, 2 failed');
});

test('the sums are those of all processes', async () => {
  const { text } = await run({ from: 10, count: 600 });
  expect(text).toContain('actions: 600 Failed');
  expect(text.find((line) => line.startsWith('  cancel'))).toMatch(/ 1200 times in +600 worlds$/);
  expect(text.at(-1)).toBe('600 passed, 0 failed');
});

test('no range is begun once the time is over', async () => {
  let asked = 0;
  const { seeds } = await run({ from: 10, count: Number.POSITIVE_INFINITY }, () => ++asked <= 1);
  expect(seeds.length).toBe(2_000);
});
