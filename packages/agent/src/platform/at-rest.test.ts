import { expect, test } from 'bun:test';
import { manualClock } from '../../test/manual-clock.ts';
import { atRest } from './at-rest.ts';

test('it rests once, after nothing happened for a while, and not while it is busy', () => {
  const clock = manualClock();
  let isBusy = true;
  let rests = 0;
  const stir = atRest({ after: clock.after, isBusy: () => isBusy, rest: () => rests++ });
  clock.advance(60_000);
  expect(rests).toBe(0);
  stir();
  clock.advance(9_000);
  stir();
  clock.advance(9_999);
  expect(rests).toBe(0);
  clock.advance(10_000);
  expect(rests).toBe(0);
  isBusy = false;
  clock.advance(60_000);
  expect(rests).toBe(1);
});
