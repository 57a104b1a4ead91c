/**
 * Makes one file of an output's head and segments: whole where it fits its bound, else head, a line that says how much
 * is missing, tail. The segments stay until the output is removed, so that a crash in between costs nothing: sealing
 * again gives the same.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { cutNotice } from '@longarm/contract/cut-output';
import { faultText } from '../platform/fault.ts';
import { headBytes, type Spool, segmentBytes, segmentPath, segmentsOf } from './output-files.ts';

/** Copied at once. */
const STEP_BYTES = 262_144;

export type Sealed = { readonly sizeBytes: number; readonly cutBytes: number };

const sizeOf = async (path: string): Promise<number> => (await stat(path)).size;

/** How much of the output was written, from the files alone. */
const writtenBytes = async (spool: Spool): Promise<number> => {
  const last = segmentsOf(spool).at(-1);
  if (last === undefined) return Math.min(await sizeOf(spool.path), headBytes(spool));
  return headBytes(spool) + last * segmentBytes(spool) + (await sizeOf(segmentPath(spool, last)));
};

/** Pieces of a file's bytes from `start` to before `end`. */
async function* piecesOf(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (let at = start; at < end; ) {
      const length = Math.min(STEP_BYTES, end - at);
      const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** What follows the head in the sealed file. */
async function* afterHead(spool: Spool, written: number, cutBytes: number): AsyncGenerator<Uint8Array> {
  if (cutBytes > 0) yield new TextEncoder().encode(cutNotice(cutBytes));
  const from = headBytes(spool) + cutBytes;
  for (const segment of segmentsOf(spool)) {
    const start = headBytes(spool) + segment * segmentBytes(spool);
    const end = Math.min(start + segmentBytes(spool), written);
    if (end > from) yield* piecesOf(segmentPath(spool, segment), Math.max(0, from - start), end - start);
  }
}

const append = async (file: FileHandle, chunk: Uint8Array, at: number): Promise<void> => {
  for (let done = 0; done < chunk.length; )
    done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
};

/**
 * Seals the `written` bytes that the files hold or held. `onAppended` sees what follows the head. Durable when it
 * resolves; rejects when the disk does not take it.
 */
export const sealOutput = async (
  spool: Spool,
  written: number,
  onAppended: (chunk: Uint8Array) => void = () => {},
): Promise<Sealed> => {
  const cutBytes = Math.max(0, written - spool.maxBytes);
  let sizeBytes = Math.min(headBytes(spool), written);
  const file = await open(spool.path, 'r+');
  try {
    // what an earlier seal, or a write that failed half way, left behind the head
    await file.truncate(sizeBytes);
    if (written > sizeBytes) {
      for await (const chunk of afterHead(spool, written, cutBytes)) {
        await append(file, chunk, sizeBytes);
        onAppended(chunk);
        sizeBytes += chunk.length;
      }
    }
    await file.sync();
    return { sizeBytes, cutBytes };
  } finally {
    await file.close();
  }
};

/** Keeps the start alone, where the disk has no room for more. */
export const sealHead = async (spool: Spool, keptBytes: number): Promise<void> => {
  const file = await open(spool.path, 'r+');
  try {
    await file.truncate(keptBytes);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Seals what the last run of the agent left, from the files alone: the head at least. */
export const sealLeftOver = async (spool: Spool): Promise<Sealed & { readonly fault: string | null }> => {
  const written = await writtenBytes(spool);
  try {
    return { ...(await sealOutput(spool, written)), fault: null };
  } catch (fault) {
    const sizeBytes = Math.min(written, headBytes(spool));
    await sealHead(spool, sizeBytes);
    return { sizeBytes, cutBytes: written - sizeBytes, fault: faultText(fault) };
  }
};
