/** Writes an output as it comes: the head into the spool file, then segment after segment, the last two kept. */
import { rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { headBytes, type Spool, segmentBytes, segmentPath } from './output-files.ts';

export type SpoolWriter = {
  /** Rejects when the disk takes no more. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** The file that is written now is on the disk when this resolves; earlier ones need not be. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const MODE = 0o600;

const writeAll = async (file: FileHandle, chunk: Uint8Array): Promise<void> => {
  for (let written = 0; written < chunk.length; )
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
};

export const spoolWriter = async (spool: Spool): Promise<SpoolWriter> => {
  const head = headBytes(spool);
  const length = segmentBytes(spool);
  let file = await open(spool.path, 'w', MODE);
  let offset = 0;

  const beginSegment = async (segment: number) => {
    const next = await open(segmentPath(spool, segment), 'w', MODE);
    await file.close();
    file = next;
    rmSync(segmentPath(spool, segment - 2), { force: true });
  };

  return {
    write: async (chunk) => {
      for (let taken = 0; taken < chunk.length; ) {
        const inTail = offset - head;
        // a bound of one byte has no tail
        if (inTail >= 0 && length === 0) return;
        if (inTail >= 0 && inTail % length === 0) await beginSegment(inTail / length);
        const room = inTail < 0 ? -inTail : length - (inTail % length);
        const part = chunk.subarray(taken, taken + room);
        await writeAll(file, part);
        taken += part.length;
        offset += part.length;
      }
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
};
