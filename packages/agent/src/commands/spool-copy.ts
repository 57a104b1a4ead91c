/** Copies a file whose length nobody knows before it is read, up to a bound. */
import { type FileHandle, open } from 'node:fs/promises';
import { faultText } from '../platform/fault.ts';

const CHUNK_BYTES = 262_144;

export type Copied =
  | { readonly kind: 'copied'; readonly sizeBytes: number }
  | { readonly kind: 'failed'; readonly sentence: string };

type Copy = { readonly to: string; readonly maxBytes: number; readonly stop: AbortSignal };

/** This device's disk does not take the copy. */
class KeepFault extends Error {
  override readonly name = 'KeepFault';
}

const keep = async (to: FileHandle, chunk: Uint8Array, position: number): Promise<void> => {
  try {
    for (let done = 0; done < chunk.length; )
      done += (await to.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  } catch (cause) {
    throw new KeepFault(`this device could not keep a copy of it: ${faultText(cause)}`, { cause });
  }
};

const copyAll = async (from: FileHandle, to: FileHandle, { maxBytes, stop }: Copy): Promise<Copied> => {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let sizeBytes = 0;
  while (!stop.aborted) {
    // by position: such files give what they are made of at the moment of the read
    const { bytesRead } = await from.read(chunk, 0, CHUNK_BYTES, sizeBytes);
    if (bytesRead === 0) return { kind: 'copied', sizeBytes };
    if (sizeBytes + bytesRead > maxBytes)
      return { kind: 'failed', sentence: `expected at most ${maxBytes} bytes, got more` };
    await keep(to, chunk.subarray(0, bytesRead), sizeBytes);
    sizeBytes += bytesRead;
  }
  return { kind: 'failed', sentence: 'it was stopped while it was copied' };
};

/** Makes the copy, mode 0600. What is left of a failed one is the caller's to remove. Rejects when it cannot be made. */
export const spoolCopy = async (from: FileHandle, copy: Copy): Promise<Copied> => {
  const to = await open(copy.to, 'w', 0o600);
  try {
    return await copyAll(from, to, copy);
  } catch (fault) {
    const what = fault instanceof KeepFault ? '' : 'it could not be read: ';
    return { kind: 'failed', sentence: `${what}${faultText(fault)}` };
  } finally {
    await to.close();
  }
};
