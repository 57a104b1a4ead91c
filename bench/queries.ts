/**
 * What the store's calls cost with a million actions, beside a store with a thousand:
 *
 *   bun --no-install bench/queries.ts [actions] | --quick
 *
 * A tenth as many machines, a hundredth of the actions wait. Both stores take turns; medians. Prints the worst ratio.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFilledStore } from '@longarm/testkit/filled-store';
import { percentileOf } from './latency/percentile.ts';

const ROUNDS = 15;
/** One call is given up after so many rounds that took so long together. */
const BOUND_MS = 2_000;
const WANTED = 3;
const isQuick = process.argv.includes('--quick');
const actions = isQuick ? 10_000 : Number(process.argv[2] ?? 1_000_000);
const folder = await mkdtemp(join(tmpdir(), 'longarm-queries-'));
const timed = async (call: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await call();
  return performance.now() - began;
};
try {
  const small = await openFilledStore(join(folder, 'small.db'), { machines: 500, actions: 1_000, waiting: 10 });
  const began = performance.now();
  const size = { machines: actions / 10, actions, waiting: actions / 100 };
  const large = await openFilledStore(join(folder, 'large.db'), size);
  console.error(`filled in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  let worst = { name: '', ratio: 0 };
  for (const name of Object.keys(small.calls)) {
    const [inSmall = () => Promise.reject(), inLarge = () => Promise.reject()] = [small.calls[name], large.calls[name]];
    const times = { small: [] as number[], large: [] as number[] };
    const until = performance.now() + BOUND_MS;
    for (let round = 0; round < ROUNDS && performance.now() < until; round++) {
      times.small.push(await timed(inSmall));
      times.large.push(await timed(inLarge));
    }
    const [few, many] = [percentileOf(times.small, 50), percentileOf(times.large, 50)];
    if (!name.endsWith('(walks)') && many / few > worst.ratio) worst = { name, ratio: many / few };
    console.log(`${name}: ${few.toFixed(2)} ms, ${many.toFixed(2)} ms, ratio ${(many / few).toFixed(1)}`);
  }
  console.log(`ratio: ${worst.ratio.toFixed(1)} times the small store at worst (wanted: ${WANTED}): ${worst.name}`);
  await small.close();
  await large.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
