/** Reads an output while it is written, by places of the raw stream. */
import { open } from 'node:fs/promises';
import { headBytes, type Spool, segmentBytes, segmentPath, segmentsOf } from './output-files.ts';

/** `offset` is later than what was asked for where that is no longer kept. */
export type OutputPiece = { readonly offset: number; readonly bytes: Uint8Array };

type Ask = { readonly offset: number; readonly maxBytes: number };

const readAt = async (path: string, at: number, length: number): Promise<Uint8Array> => {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

/** What lies in the segment, or in the first after it that is still there. */
const readTail = async (spool: Spool, { offset, maxBytes }: Ask): Promise<OutputPiece | null> => {
  const length = segmentBytes(spool);
  const asked = length === 0 ? Number.POSITIVE_INFINITY : Math.floor((offset - headBytes(spool)) / length);
  const segment = segmentsOf(spool).find((number) => number >= asked);
  if (segment === undefined) return null;
  const start = headBytes(spool) + segment * length;
  const from = Math.max(offset, start);
  const bytes = await readAt(segmentPath(spool, segment), from - start, Math.min(maxBytes, start + length - from));
  return { offset: from, bytes };
};

/** The next piece from `offset` on, at most `maxBytes` long; null when there is none, or no output at all. */
export const readOutput = async (spool: Spool, ask: Ask): Promise<OutputPiece | null> => {
  const room = headBytes(spool) - ask.offset;
  try {
    const piece =
      room > 0
        ? { offset: ask.offset, bytes: await readAt(spool.path, ask.offset, Math.min(ask.maxBytes, room)) }
        : await readTail(spool, ask);
    return piece === null || piece.bytes.length === 0 ? null : piece;
  } catch {
    // not begun, or removed while it was looked for: the next look tells
    return null;
  }
};
