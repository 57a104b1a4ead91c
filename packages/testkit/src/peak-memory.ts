/** How much memory a process held at most while something went on, read from /proc (proc(5)). */
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 25;

/** Resident bytes of a living process. Throws on systems without /proc. */
export const residentBytes = (pid: number): number => {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
};

/** Bytes by which each process grew at most during the work, over what it held before it. */
export const growthDuring = async <Result>(
  pids: readonly number[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly growth: readonly number[] }> => {
  const idle = pids.map(residentBytes);
  const peaks = [...idle];
  const sample = () => {
    for (const [place, pid] of pids.entries()) peaks[place] = Math.max(peaks[place] ?? 0, residentBytes(pid));
  };
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    const result = await work();
    sample();
    return { result, growth: peaks.map((peak, place) => peak - (idle[place] ?? 0)) };
  } finally {
    clearInterval(timer);
  }
};
