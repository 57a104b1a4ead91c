// Long runs: --target NAME (or all), --minutes N, --seed S. What breaks is printed with its seed and its smallest text;
// keep the text in tests/fuzz/corpus/NAME.json, with the fix.
import { parseArgs } from 'node:util';
import { fuzz } from '../tests/fuzz/fuzz.ts';
import { TARGETS } from '../tests/fuzz/targets.ts';
import { openWorld } from '../tests/fuzz/world.ts';

const { values } = parseArgs({
  options: { target: { type: 'string' }, minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const wanted = Object.entries(TARGETS).filter(([name]) => values.target === undefined || name === values.target);
if (wanted.length === 0) throw new Error(`expected one of ${Object.keys(TARGETS).join(', ')}, got ${values.target}`);

const eachMs = (Number(values.minutes) * 60_000) / wanted.length;
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
const world = await openWorld();
let failed = 0;
for (const [name, target] of wanted) {
  try {
    await fuzz(world, { name, target }, { runs: Number.MAX_SAFE_INTEGER, untilMs: eachMs, seed });
    console.log(`ok     ${name}`);
  } catch (fault) {
    failed++;
    console.log(`FAILED ${name}: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
}
await world.close();
console.log(`${wanted.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
