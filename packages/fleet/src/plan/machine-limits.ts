/** What this machine allows a fleet: from the files in which Linux says so (proc(5), ip(7)). */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export type MachineLimits = {
  /** Files that one process may have open. */
  readonly openFiles: number;
  /** Local ports for connections to one address and port. */
  readonly ports: number;
  readonly freeMemoryBytes: number;
  readonly cores: number;
};

/** Where the system does not say, what most allow. */
const ASSUMED = { openFiles: 1_024, ports: 16_384, freeMemoryBytes: 2 ** 31 };

const match = (path: string, form: RegExp): readonly string[] => {
  try {
    return form.exec(readFileSync(path, 'utf8')) ?? [];
  } catch {
    return [];
  }
};

export const readMachineLimits = (): MachineLimits => {
  // the runtime raises the soft limit to the hard one by itself
  const [, files] = match('/proc/self/limits', /^Max open files\s+\S+\s+(\d+)/m);
  const [, low, high] = match('/proc/sys/net/ipv4/ip_local_port_range', /^(\d+)\s+(\d+)/);
  const [, memoryKb] = match('/proc/meminfo', /^MemAvailable:\s+(\d+)/m);
  return {
    openFiles: files === undefined ? ASSUMED.openFiles : Number(files),
    ports: low === undefined || high === undefined ? ASSUMED.ports : Number(high) - Number(low) + 1,
    freeMemoryBytes: memoryKb === undefined ? ASSUMED.freeMemoryBytes : Number(memoryKb) * 1_024,
    cores: availableParallelism(),
  };
};
