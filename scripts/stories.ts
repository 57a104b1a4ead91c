// Stories against the reference (tests/model): --seeds N [--from S] [--count N], as many stories of each seed;
// --shrink SECONDS looks for a shorter one that fails too.
import { parseArgs } from 'node:util';
import { tellStories } from '../tests/model/stories.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    from: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string', default: '20' },
    shrink: { type: 'string', default: '0' },
  },
});
const from = Number(values.from);
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  console.log(`seed ${seed}: ${values.count} stories`);
  const { endings } = await tellStories(seed, Number(values.count), Number(values.shrink));
  console.log(`  agreed; actions: ${[...endings].map(([status, sum]) => `${sum} ${status}`).join(', ')}`);
}
