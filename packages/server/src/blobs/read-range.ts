/** A file as a stream that reads only when it is asked to, and holds one chunk. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ByteRange } from '../library/ports.ts';
import { nullIfAbsent } from './null-if-absent.ts';

/** Large enough that a system call per chunk costs little, small enough for many readers at once. */
const READ_CHUNK_BYTES = 262_144;

type Cursor = { readonly file: FileHandle; position: number; readonly end: number };

const openCursor = async (path: string, range: ByteRange | undefined): Promise<Cursor> => {
  const file = await nullIfAbsent(open(path, 'r'));
  if (file === null) throw new Error(`${basename(path)} is not here: it was removed, or never whole.`);
  try {
    const { size } = await file.stat();
    return { file, position: range?.start ?? 0, end: Math.min(range?.end ?? size, size) };
  } catch (fault) {
    await file.close();
    throw fault;
  }
};

const readNext = async (cursor: Cursor): Promise<Uint8Array | null> => {
  const wanted = Math.min(READ_CHUNK_BYTES, cursor.end - cursor.position);
  if (wanted <= 0) return null;
  const chunk = new Uint8Array(wanted);
  const { bytesRead } = await cursor.file.read(chunk, 0, wanted, cursor.position);
  if (bytesRead === 0) throw new Error(`A blob ended at byte ${cursor.position}; expected ${cursor.end}.`);
  cursor.position += bytesRead;
  return chunk.subarray(0, bytesRead);
};

/**
 * The bytes of the range, or all. Opened at the first read and closed at the end, at a fault and when the reader
 * cancels; a stream that nobody reads holds no descriptor. A range that goes past the end stops there.
 */
export const readRange = (path: string, range?: ByteRange): ReadableStream<Uint8Array> => {
  let cursor: Cursor | null = null;
  let pulling: Promise<void> = Promise.resolve();
  let cancelled = false;
  const close = async (): Promise<void> => {
    const file = cursor?.file;
    cursor = null;
    await file?.close();
  };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    cursor ??= await openCursor(path, range);
    const chunk = await readNext(cursor);
    if (cancelled) return;
    if (chunk !== null) controller.enqueue(chunk);
    if (chunk !== null && cursor.position < cursor.end) return;
    await close();
    controller.close();
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        pulling = pull(controller);
        try {
          await pulling;
        } catch (fault) {
          await close();
          throw fault;
        }
      },
      // a descriptor is not closed under a read that is under way
      cancel: async () => {
        cancelled = true;
        await pulling.catch(() => undefined);
        await close();
      },
    },
    { highWaterMark: 0 },
  );
};
