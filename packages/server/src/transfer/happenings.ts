/** What has happened since a watcher last looked, and a way to wait for something. */
import type { OutputPiece } from '../actions/output-ports.ts';

export type Seen = {
  readonly pieces: OutputPiece[];
  /** The row may have changed. */
  isChanged: boolean;
  /** Nothing was said for a while. */
  isQuiet: boolean;
  /** Nobody reads any more. */
  isClosed: boolean;
};

export const happenings = () => {
  let bell = Promise.withResolvers<void>();
  const seen: Seen = { pieces: [], isChanged: true, isQuiet: false, isClosed: false };
  return {
    seen,
    ring: (change: Partial<Seen>) => {
      Object.assign(seen, change);
      bell.resolve();
    },
    wait: async (): Promise<void> => {
      await bell.promise;
      bell = Promise.withResolvers();
    },
  };
};

export type Happenings = ReturnType<typeof happenings>;
