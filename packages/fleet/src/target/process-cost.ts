/** What a process of this machine costs, from /proc (proc(5)); null where there is none. */
import { readFileSync } from 'node:fs';

/** Ticks a second in /proc/PID/stat: 100 on every Linux in use. */
const TICKS = 100;

export type ProcessCost = { readonly residentBytes: number; readonly processorSeconds: number };

export const processCost = (pid: number): ProcessCost | null => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      residentBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024,
      processorSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
    };
  } catch {
    return null;
  }
};
