/** How many connections a process can hold: what the system lets it open, less what else it needs. */
import { readFileSync } from 'node:fs';

/** Files that are open besides connections: store, blobs, logs, the runtime's own, and requests that come and go. */
export const FILES_BESIDES = 600;

/** Files that a process may have open, from proc(5); null where the system does not say. */
export const openFilesLimit = (): number | null => {
  try {
    // the runtime raises the soft limit to the hard one by itself
    const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return hard === undefined ? null : Number(hard);
  } catch {
    return null;
  }
};

/** At least one, so that a system that allows next to nothing is still told so by devices that are sent away. */
export const placesOf = (openFiles: number | null): number =>
  openFiles === null ? Number.POSITIVE_INFINITY : Math.max(1, openFiles - FILES_BESIDES);
