/** Random stories of callers, devices and time, told to a real server and to a reference that was written apart from it. */
import fc from 'fast-check';
import { agreeOnAll } from './agree.ts';
import { ReferenceSite } from './reference/site.ts';
import { deviceSteps } from './steps/device-steps.ts';
import { librarySteps, NAMES } from './steps/library-steps.ts';
import { readSteps } from './steps/read-steps.ts';
import { requestSteps } from './steps/request-steps.ts';
import type { Step } from './steps/step.ts';
import { timeSteps } from './steps/time-steps.ts';
import { MACHINES, openSystem } from './system.ts';

const STEPS = [...librarySteps, ...requestSteps, ...readSteps, ...deviceSteps, ...timeSteps];
/** Steps of the longest stories; those that cannot happen when they come are left out. */
const LONGEST = 400;

const storyArbitrary = fc.commands(STEPS, { maxCommands: LONGEST, size: 'max' });

/** Throws with what the server answered and what the reference expected. Gives how its actions ended. */
const tell = async (story: Iterable<Step>): Promise<readonly string[]> => {
  const system = await openSystem();
  try {
    const site = new ReferenceSite(MACHINES, system.now());
    for (const name of NAMES) {
      await system.callers.librarian.upload(name, `content of ${name}`);
      site.library.set(name, 'librarian');
    }
    await fc.asyncModelRun(() => ({ model: site, real: system }), story);
    await agreeOnAll(site, system);
    return site.actions.map(({ status }) => status);
  } finally {
    await system.stop();
  }
};

export type Told = {
  /** How many actions ended, or stand, in each status. */
  readonly endings: ReadonlyMap<string, number>;
};

/** The stories of a seed, one after another; a failure says the seed, and the shortest story found that still fails. */
export const tellStories = async (seed: number, count: number, shrinkSeconds = 0): Promise<Told> => {
  const endings = new Map<string, number>();
  const property = fc.asyncProperty(storyArbitrary, async (story) => {
    for (const status of await tell(story)) endings.set(status, (endings.get(status) ?? 0) + 1);
  });
  const shrinking = shrinkSeconds === 0 ? { endOnFailure: true } : { interruptAfterTimeLimit: shrinkSeconds * 1_000 };
  await fc.assert(property, { seed, numRuns: count, ...shrinking });
  return { endings };
};
