/** Hashes of unfinished uploads, kept between appends, so that a file is read again only after a restart. */

import { readRange } from './read-range.ts';
import { newProgress, type Progress } from './write-body.ts';

/** Past this many the longest known is forgotten: its upload goes on, and its file is read once more. */
const HASHES_KEPT = 4_096;

export type ProgressBook = {
  /** The hash of the file's first `bytes` bytes, which are all of it. */
  readonly progressOf: (key: string, file: { readonly path: string; readonly bytes: number }) => Promise<Progress>;
  readonly forget: (key: string) => void;
};

const readProgress = async (path: string, bytes: number): Promise<Progress> => {
  const progress = newProgress();
  if (bytes === 0) return progress;
  for await (const chunk of readRange(path, { start: 0, end: bytes })) {
    progress.hasher.update(chunk);
    progress.bytes += chunk.length;
  }
  return progress;
};

export const progressBook = (): ProgressBook => {
  const known = new Map<string, Progress>();
  return {
    progressOf: async (key, file) => {
      const found = known.get(key);
      if (found?.settled === true && found.bytes === file.bytes) return found;
      known.delete(key);
      const read = await readProgress(file.path, file.bytes);
      known.set(key, read);
      const oldest = known.size > HASHES_KEPT ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      return read;
    },
    forget: (key) => {
      known.delete(key);
    },
  };
};
