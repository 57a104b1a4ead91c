import { describe, expect, test } from 'bun:test';
import { BROKEN_PARTS } from './broken.ts';
import { type Broken, type Outcome, runWorld } from './world.ts';

/** Worlds in which each broken part is looked for at most. */
const SEEDS = 80;

const firstViolation = (broken: Broken, from: number): Outcome | null => {
  for (let seed = from; seed < from + SEEDS; seed++) {
    const outcome = runWorld(seed, { broken });
    if (outcome.violation !== null) return outcome;
  }
  return null;
};

describe('what is broken on purpose is found', () => {
  for (const { name, invariants, broken, from } of BROKEN_PARTS)
    test(name, () => {
      const found = firstViolation(broken, from ?? 1);
      expect(invariants).toContain(found?.violation?.invariant ?? 0);
    }, 120_000);
});
