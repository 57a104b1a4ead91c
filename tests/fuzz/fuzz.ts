/** Tries a target: its corpus, then texts near its samples, so many or until a moment. A fault names seed and text. */
import fc from 'fast-check';
import { corpusOf } from './corpus.ts';
import { near } from './mutate.ts';
import type { Target } from './targets.ts';
import type { FuzzWorld } from './world.ts';

export type Budget = { readonly runs: number; readonly untilMs?: number; readonly seed?: number };

/** Throws with the smallest text that breaks it. */
export const fuzz = async (
  world: FuzzWorld,
  of: { readonly name: string; readonly target: Target },
  budget: Budget,
): Promise<void> => {
  const check = of.target.check(world);
  const hold = async (text: string) => {
    const fault = await check(text);
    if (fault !== null) throw new Error(`${of.name}: ${fault}\n  text: ${JSON.stringify(text)}`);
  };
  const samples = of.target.samples(world);
  for (const text of [...(await corpusOf(of.name)), ...samples]) await hold(text);
  await fc.assert(fc.asyncProperty(near(samples), hold), {
    numRuns: budget.runs,
    ...(budget.seed === undefined ? {} : { seed: budget.seed }),
    ...(budget.untilMs === undefined ? {} : { interruptAfterTimeLimit: budget.untilMs, markInterruptAsFailure: false }),
  });
};
