import { beforeEach, expect, test } from 'bun:test';
import { manualClock } from '../../test/manual-clock.ts';
import { until } from '../../test/until.ts';
import { type GuardedPiece, type PieceGuard, pieceGuard } from './piece-guard.ts';

const HEARTBEAT_MS = 30_000;

let clock: ReturnType<typeof manualClock>;
let asked: number;
let answers: (number | null | 'never')[];

beforeEach(() => {
  clock = manualClock();
  asked = 0;
  answers = [];
});

/** Answers in their order; when there are none left the last one again. */
const ask = (signal: AbortSignal): Promise<number | null> => {
  const answer = answers[Math.min(asked++, answers.length - 1)] ?? null;
  if (answer !== 'never') return Promise.resolve(answer);
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
};

const guard = (changes: Partial<GuardedPiece> = {}): PieceGuard =>
  pieceGuard(
    { after: clock.after, heartbeatMs: () => HEARTBEAT_MS },
    { startBytes: 1_000, endBytes: 2_000, isLast: false, ask, ...changes },
  );

/** Moves on by a heartbeat, and waits until the question that falls due is settled: by its end, or by the next timer. */
const beat = async ({ signal }: PieceGuard) => {
  const before = asked;
  clock.advance(HEARTBEAT_MS);
  await until('what comes of it', () => signal.aborted || asked === before || clock.pending() === 1);
};

test('a piece that is taken all the time is left alone, and nobody is asked', async () => {
  const one = guard();
  for (let times = 0; times < 10; times++) {
    clock.advance(HEARTBEAT_MS - 1);
    one.heard();
  }
  expect([asked, one.signal.aborted]).toEqual([0, false]);
  one.end();
  expect(clock.pending()).toBe(0);
});

test('nobody there: given up after two heartbeats', async () => {
  answers = ['never'];
  const one = guard();
  clock.advance(HEARTBEAT_MS);
  expect([asked, one.signal.aborted]).toEqual([1, false]);
  clock.advance(HEARTBEAT_MS);
  await until('the end', () => one.signal.aborted);
  one.end();
});

test('a server that is there, and to which nothing comes any more: given up after two heartbeats', async () => {
  answers = [1_500, 1_500];
  const one = guard();
  await beat(one);
  expect(one.signal.aborted).toBe(false);
  await beat(one);
  expect(one.signal.aborted).toBe(true);
  one.end();
});

test('a server that takes it slowly is waited for', async () => {
  answers = [1_001, 1_002, 1_003, 1_004, 1_005];
  const one = guard();
  for (let times = 0; times < 5; times++) await beat(one);
  expect([asked, one.signal.aborted]).toEqual([5, false]);
  one.end();
});

test('a server that has the whole file and does not say so yet is waited for, not for ever', async () => {
  answers = [2_000];
  const one = guard({ isLast: true });
  for (let times = 0; times < 20; times++) await beat(one);
  expect(one.signal.aborted).toBe(false);
  await beat(one);
  expect(one.signal.aborted).toBe(true);
  one.end();
});

test('a piece in the middle that the server has, with no word of it: the answer was lost', async () => {
  answers = [2_000];
  const one = guard();
  await beat(one);
  await beat(one);
  expect(one.signal.aborted).toBe(true);
  one.end();
});

test('a server that refuses to say, or has it all and its hash: the question is put anew', async () => {
  answers = [null];
  const one = guard();
  await beat(one);
  expect(one.signal.aborted).toBe(true);
  one.end();
});

test('what is taken while the question is under way counts', async () => {
  answers = ['never'];
  const one = guard();
  clock.advance(HEARTBEAT_MS);
  one.heard();
  clock.advance(HEARTBEAT_MS - 1);
  expect(one.signal.aborted).toBe(false);
  one.end();
});

test('once ended it neither asks nor gives up', async () => {
  answers = ['never'];
  const one = guard();
  clock.advance(HEARTBEAT_MS);
  one.end();
  clock.advance(10 * HEARTBEAT_MS);
  expect([asked, one.signal.aborted, clock.pending()]).toEqual([1, false, 0]);
});
