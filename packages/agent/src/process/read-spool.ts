/** A small output at once, to go with the report of its command. */
import { readFileSync, statSync } from 'node:fs';

/** Null when the file is not there, cannot be read, or has another size by now. */
export const readSpool = (path: string, sizeBytes: number): Uint8Array | null => {
  try {
    return statSync(path).size === sizeBytes ? readFileSync(path) : null;
  } catch {
    return null;
  }
};
