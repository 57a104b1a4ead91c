/**
 * The token of the last connection, on this device's disk: shown at the next one, so that the server notices when a copy
 * of this state folder connects as well.
 */
import { readFileSync } from 'node:fs';
import { replaceFile } from '../platform/durable-file.ts';

export type GenerationKeeper = {
  /** Null before the first connection. */
  readonly last: () => string | null;
  /** Durable when it returns true; a disk that refuses costs nothing but that. */
  readonly keep: (generation: string) => boolean;
};

/** The contract's bound. */
const CHARACTERS = 64;

const readLast = (path: string): string | null => {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text.length > 0 && text.length <= CHARACTERS ? text : null;
  } catch {
    // none yet, or lost: the server takes that for a device that went back, and lets it in
    return null;
  }
};

export const generationFile = (path: string): GenerationKeeper => {
  let last = readLast(path);
  return {
    last: () => last,
    keep: (generation) => {
      last = generation;
      try {
        replaceFile(path, generation);
        return true;
      } catch {
        return false;
      }
    },
  };
};
