/** Many worlds among processes: each takes a range of seeds, reports world by world, and makes room for a fresh one. */
import type { Report } from './tally.ts';

/** Worlds that one process runs: enough that its slow first ones do not count, too few for a runtime to grow by much. */
const WORLDS_PER_PROCESS = { least: 250, most: 2_000 } as const;

export type ShareIo = {
  /** Runs the program that reports on so many seeds, a line of JSON each, on its standard output. */
  readonly spawn: (range: Range) => Bun.Subprocess<'ignore', 'pipe', 'inherit'>;
  readonly onReport: (report: Report) => void;
  /** Milliseconds of processor that a process has taken when it has ended. */
  readonly onSpent: (processorMs: number) => void;
  /** False once no further range is to be begun. */
  readonly goesOn: () => boolean;
};

export type Range = { readonly from: number; readonly count: number };

const linesOf = async function* (stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    const parts = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
};

/** Reports on the range; returns where to go on when the process ended before its time, by the fault of that seed. */
const runRange = async (io: ShareIo, range: Range): Promise<number> => {
  const child = io.spawn(range);
  let next = range.from;
  for await (const line of linesOf(child.stdout)) {
    const report: Report = JSON.parse(line);
    io.onReport(report);
    next = report.seed + 1;
  }
  const status = await child.exited;
  io.onSpent(Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1_000);
  if (status === 0) return range.from + range.count;
  const violation = `ended its process with ${child.signalCode ?? status}`;
  io.onReport({ seed: next, violation, faults: {}, endings: {}, virtualMs: 0 });
  return next + 1;
};

/** Resolves when all seeds are reported on, or when it was told to begin no more. */
export const shareOut = async (io: ShareIo, whole: Range, jobs: number): Promise<void> => {
  const end = whole.from + whole.count;
  // the last ranges are short, so that all processes end at about the same time
  const fair = Math.max(WORLDS_PER_PROCESS.least, Math.ceil(whole.count / (4 * jobs)));
  const length = Math.min(WORLDS_PER_PROCESS.most, fair);
  let next = whole.from;
  const work = async () => {
    while (next < end && io.goesOn()) {
      const from = next;
      next = Math.min(end, from + length);
      for (let at = from, until = next; at < until; ) at = await runRange(io, { from: at, count: until - at });
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
};
