/** True while there is a process of this number that is more than a zombie. */
import { readFileSync } from 'node:fs';

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // no /proc on this system, or gone meanwhile
    return process.platform !== 'linux';
  }
};
