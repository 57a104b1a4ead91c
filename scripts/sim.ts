// The seeded world. --seed S [--trace] replays one; --seeds N [--from S] or --minutes M [--from S] runs many, --jobs N
// shares them among processes. A seed that violates something ends nothing: all of them are told at the end, before the
// last line, N passed, N failed. A run may be stopped and continued (SIGSTOP, SIGCONT).
import { parseArgs } from 'node:util';
import { runWorld } from '../tests/sim/world.ts';
import { type Range, shareOut } from './sim/share-out.ts';
import { newTally, reportOn, type Tally, violationText } from './sim/tally.ts';

/** How often progress is told on standard error. */
const PROGRESS_MS = 30_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    // for the processes that share the work: each world is told as a line of JSON
    report: { type: 'boolean', default: false },
  },
});

const replay = (seed: number): boolean => {
  const outcome = runWorld(seed, values.trace ? { print: (line) => console.log(line) } : {});
  const { hash, endings, virtualMs, events, violation } = outcome;
  const ends = [...endings].map(([status, count]) => `${count} ${status}`).join(', ') || 'none';
  console.log(`seed ${seed}: ${violationText(outcome) ?? 'holds'}`);
  console.log(`  actions: ${ends}; ${(virtualMs / 3_600_000).toFixed(1)} hours, ${events} events, trace ${hash}`);
  return violation === null;
};

const begunAt = performance.now();
const longestMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000;
const goesOn = () => performance.now() - begunAt < longestMs;

const progressOf = (tally: Tally, count: number) => {
  let toldAt = begunAt;
  return () => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    const minutes = ((now - begunAt) / 60_000).toFixed(1);
    const of = Number.isFinite(count) ? ` of ${count}` : '';
    console.error(`${tally.worlds()}${of} worlds in ${minutes} minutes, ${tally.failed()} failed`);
  };
};

/** In this process, so that a profile of it has all of it. */
const runHere = ({ from, count }: Range, onWorld: (report: ReturnType<typeof reportOn>) => void) => {
  for (let seed = from; seed < from + count && goesOn(); seed++) onWorld(reportOn(seed));
};

const runMany = async (range: Range, jobs: number): Promise<boolean> => {
  const tally = newTally(range.from);
  const tellProgress = progressOf(tally, range.count);
  const onReport = (report: ReturnType<typeof reportOn>) => {
    tally.add(report);
    if (report.violation !== null) console.error(`seed ${report.seed}: ${report.violation}`);
    tellProgress();
  };
  let processorMs = 0;
  const spawn = ({ from, count }: Range) => {
    const left =
      values.minutes === undefined ? [] : ['--minutes', `${(longestMs + begunAt - performance.now()) / 60_000}`];
    const seeds = ['--seeds', String(count), '--from', String(from), ...left];
    return Bun.spawn([process.execPath, '--no-install', import.meta.path, '--report', ...seeds], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };
  const onSpent = (spentMs: number) => {
    processorMs += spentMs;
  };
  if (jobs > 1) await shareOut({ spawn, onReport, onSpent, goesOn }, range, jobs);
  else runHere(range, onReport);
  const { user, system } = process.cpuUsage();
  const processorSeconds = (processorMs + (user + system) / 1_000) / 1_000;
  console.log(tally.text({ seconds: (performance.now() - begunAt) / 1_000, processorSeconds }));
  return tally.failed() === 0;
};

// a world wants a turn of its own (virtual-time.ts)
await new Promise((resolve) => setImmediate(resolve));

const isEndless = values.minutes !== undefined && !values.report;
const range = { from: Number(values.from), count: isEndless ? Number.POSITIVE_INFINITY : Number(values.seeds) };
if (values.report) runHere(range, (report) => console.log(JSON.stringify(report)));
else {
  const holds = values.seed === undefined ? await runMany(range, Number(values.jobs)) : replay(Number(values.seed));
  process.exitCode = holds ? 0 : 1;
}
