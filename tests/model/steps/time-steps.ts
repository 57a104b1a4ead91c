import fc from 'fast-check';
import { LIMITS } from '../reference/site.ts';
import { type Step, step } from './step.ts';

/** Access tokens are good for an hour: a story is over before that. */
const STORY_MS = 55 * 60_000;

const pass = (milliseconds: number): Step =>
  step({
    text: `${milliseconds / 1_000} s pass`,
    when: (site) => site.now + milliseconds - site.began < STORY_MS,
    run: async (site, system) => {
      // the reference first, so that offers that this makes are due
      site.pass(milliseconds);
      await system.pass(milliseconds);
    },
  });

export const timeSteps: readonly fc.Arbitrary<Step>[] = [
  fc.constantFrom(0, 1_000, LIMITS.leaseMs, LIMITS.leaseMs, 3 * 60_000, LIMITS.queueMs - 1, LIMITS.queueMs).map(pass),
];
