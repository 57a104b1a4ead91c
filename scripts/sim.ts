// The seeded world. --seed S [--trace] replays one; --seeds N [--from S] runs many and says what really happened;
// --jobs N shares them among processes, and ends with one line: N passed, N failed (a process that fails stops there).
import { parseArgs } from 'node:util';
import { FAULTS } from '../tests/sim/faults.ts';
import { type Outcome, runWorld } from '../tests/sim/world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    jobs: { type: 'string', default: '1' },
  },
});

const describe = ({ seed, violation, hash, endings, virtualMs, events }: Outcome): string => {
  const ends = [...endings].map(([status, count]) => `${count} ${status}`).join(', ') || 'none';
  const verdict = violation === null ? 'holds' : `VIOLATES invariant ${violation.invariant}: ${violation.sentence}`;
  return `seed ${seed}: ${verdict}\n  actions: ${ends}; ${(virtualMs / 3_600_000).toFixed(1)} hours, ${events} events, trace ${hash}`;
};

const replay = (seed: number): boolean => {
  const outcome = runWorld(seed, values.trace ? { print: (line) => console.log(line) } : {});
  console.log(describe(outcome));
  return outcome.violation === null;
};

const add = <Key>(sums: Map<Key, number>, more: ReadonlyMap<Key, number>) => {
  for (const [key, count] of more) sums.set(key, (sums.get(key) ?? 0) + count);
};

const runMany = (from: number, count: number, untilMs: number): boolean => {
  const faults = new Map<string, number>();
  const endings = new Map<string, number>();
  const start = performance.now();
  let worlds = 0;
  let virtualMs = 0;
  for (; worlds < count && performance.now() - start < untilMs; worlds++) {
    const outcome = runWorld(from + worlds);
    if (outcome.violation !== null) {
      console.log(describe(outcome));
      console.log(`replay it: npm run sim -- --seed ${outcome.seed} --trace`);
      return false;
    }
    add(faults, outcome.faults);
    add(endings, outcome.endings);
    virtualMs += outcome.virtualMs;
  }
  const seconds = (performance.now() - start) / 1_000;
  const years = virtualMs / 31_557_600_000;
  console.log(
    `${worlds} worlds from seed ${from} in ${seconds.toFixed(1)} s: ${(worlds / seconds).toFixed(1)} a second, ${years.toFixed(2)} years of theirs`,
  );
  console.log(`actions: ${[...endings].map(([status, sum]) => `${sum} ${status}`).join(', ')}`);
  for (const fault of FAULTS) console.log(`  ${fault.padEnd(22)} ${faults.get(fault) ?? 0}`);
  return true;
};

/** Each process takes as many seeds, one range after another. */
const shareOut = async (from: number, count: number, jobs: number): Promise<boolean> => {
  const ranges = Array.from({ length: jobs }, (_, job) => {
    const first = Math.floor((count * job) / jobs);
    return { from: from + first, count: Math.floor((count * (job + 1)) / jobs) - first };
  });
  const children = ranges.map((range) => {
    const seeds = ['--seeds', String(range.count), '--from', String(range.from)];
    return Bun.spawn([process.execPath, '--no-install', import.meta.path, ...seeds], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  });
  const statuses = await Promise.all(children.map((child) => child.exited));
  const failed = statuses.filter((status) => status !== 0).length;
  console.log(`${failed === 0 ? count : 0} passed, ${failed} failed`);
  return failed === 0;
};

// a world wants a turn of its own (virtual-time.ts)
await new Promise((resolve) => setImmediate(resolve));

const longestMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000;
const count = values.minutes === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY;
const from = Number(values.from);
const jobs = Number(values.jobs);
const many = () => (jobs > 1 ? shareOut(from, count, jobs) : runMany(from, count, longestMs));
const holds = values.seed === undefined ? await many() : replay(Number(values.seed));
process.exitCode = holds ? 0 : 1;
