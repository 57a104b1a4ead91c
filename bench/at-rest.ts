/**
 * What an agent costs that has nothing to do, and how soon after its start it is connected:
 *
 *   bun --no-install bench/at-rest.ts [--minutes N] | --quick
 *
 * Prints resident memory, processor time as a share of one core, the median start of several, and memory's ratio to its bar.
 */
import { readFileSync } from 'node:fs';
import { residentBytes } from '@longarm/testkit/peak-memory';
import { openSite } from '@longarm/testkit/test-site';

const MIB = 1_048_576;
const WANTED_MIB = 45;
const isQuick = process.argv.includes('--quick');
const STARTS = isQuick ? 1 : 7;
/** Ticks a second in /proc/PID/stat (proc(5)): 100 on every Linux in use. */
const TICKS = 100;

const at = process.argv.indexOf('--minutes');
const minutes = at < 0 ? (isQuick ? 0.02 : 1) : Number(process.argv[at + 1]);

/** Processor seconds that the process has used, user and system. */
const processorSeconds = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
};

const site = await openSite();
try {
  const agent = await site.agent();
  const starts: number[] = [];
  while (starts.length < STARTS) {
    await agent.kill();
    const since = performance.now();
    await agent.start();
    starts.push(performance.now() - since);
  }
  const { pid } = agent.program();
  const before = processorSeconds(pid);
  await Bun.sleep(minutes * 60_000);
  const share = (processorSeconds(pid) - before) / (minutes * 60);
  const median = starts.toSorted((a, b) => a - b)[STARTS >> 1] ?? 0;
  const residentMib = residentBytes(pid) / MIB;
  console.log(`resident after ${minutes} min: ${residentMib.toFixed(1)} MiB`);
  console.log(`processor: ${(100 * share).toFixed(2)} % of a core`);
  console.log(`start to connected: ${median.toFixed(0)} ms, median of ${STARTS}`);
  console.log(`ratio: ${(residentMib / WANTED_MIB).toFixed(2)} of the ${WANTED_MIB} MiB that it may have`);
} finally {
  await site.close();
}
