/** What many worlds came to: sums for people to read, and each seed that failed. */
import { FAULTS } from '../../tests/sim/faults.ts';
import { type Outcome, runWorld } from '../../tests/sim/world.ts';

/** One world as a line between processes. */
export type Report = {
  readonly seed: number;
  /** Null where everything held. */
  readonly violation: string | null;
  readonly faults: Readonly<Record<string, number>>;
  readonly endings: Readonly<Record<string, number>>;
  readonly virtualMs: number;
};

export const violationText = ({ violation }: Pick<Outcome, 'violation'>): string | null =>
  violation === null ? null : `VIOLATES invariant ${violation.invariant}: ${violation.sentence}`;

/** A world that throws has failed as well. */
export const reportOn = (seed: number): Report => {
  try {
    const outcome = runWorld(seed);
    const { virtualMs } = outcome;
    const [faults, endings] = [outcome.faults, outcome.endings].map((counts) => Object.fromEntries(counts));
    return { seed, violation: violationText(outcome), faults: faults ?? {}, endings: endings ?? {}, virtualMs };
  } catch (fault) {
    return { seed, violation: `threw ${fault}`, faults: {}, endings: {}, virtualMs: 0 };
  }
};

export type Tally = {
  readonly add: (report: Report) => void;
  readonly worlds: () => number;
  readonly failed: () => number;
  /** The whole of it, its last line for machines: N passed, N failed. */
  readonly text: (spent: { readonly seconds: number; readonly processorSeconds: number }) => string;
};

type Sums = Map<string, { sum: number; worlds: number }>;

const addTo = (sums: Sums, more: Readonly<Record<string, number>>) => {
  for (const [key, count] of Object.entries(more)) {
    const { sum, worlds } = sums.get(key) ?? { sum: 0, worlds: 0 };
    sums.set(key, { sum: sum + count, worlds: worlds + 1 });
  }
};

const faultLine = (sums: Sums, fault: string): string => {
  const { sum, worlds } = sums.get(fault) ?? { sum: 0, worlds: 0 };
  return `  ${fault.padEnd(22)} ${String(sum).padStart(9)} times in ${String(worlds).padStart(7)} worlds`;
};

export const newTally = (from: number): Tally => {
  const faults: Sums = new Map();
  const endings: Sums = new Map();
  const failures: Report[] = [];
  let worlds = 0;
  let virtualMs = 0;
  return {
    add: (report) => {
      worlds++;
      virtualMs += report.virtualMs;
      addTo(faults, report.faults);
      addTo(endings, report.endings);
      if (report.violation !== null) failures.push(report);
    },
    worlds: () => worlds,
    failed: () => failures.length,
    text: ({ seconds, processorSeconds }) => {
      const years = (virtualMs / 31_557_600_000).toFixed(2);
      const rate = (worlds / seconds).toFixed(1);
      const ends = [...endings].map(([status, { sum }]) => `${sum} ${status}`).join(', ');
      return [
        `${worlds} worlds from seed ${from} in ${seconds.toFixed(1)} s: ${rate} a second, ${years} years of theirs`,
        `${processorSeconds.toFixed(1)} s of processor, ${((1_000 * processorSeconds) / worlds).toFixed(0)} ms a world`,
        `actions: ${ends || 'none'}`,
        ...FAULTS.map((fault) => faultLine(faults, fault)),
        ...failures
          .toSorted((a, b) => a.seed - b.seed)
          .map(({ seed, violation }) => `seed ${seed}: ${violation}\n  npm run sim -- --seed ${seed} --trace`),
        `${worlds - failures.length} passed, ${failures.length} failed`,
      ].join('\n');
    },
  };
};
