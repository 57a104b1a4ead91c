/**
 * The one loop that takes bytes: each chunk is hashed while the disk writes it, and the next is asked for only
 * then, so the sender feels the disk and memory holds one chunk.
 */
import type { FileHandle } from 'node:fs/promises';
import { UploadFault } from '../library/ports.ts';
import { asUploadFault, FREE_SPACE_STRIDE_BYTES, type FreeSpace } from './free-space.ts';
import { giveBack } from './give-back.ts';

/** SHA-256 of a file's first `bytes` bytes; what comes next continues it. */
export type Progress = {
  readonly hasher: Bun.CryptoHasher;
  bytes: number;
  /** False while a chunk is hashed and not known to be written: a fault in between leaves the hash of no use. */
  settled: boolean;
};

export const newProgress = (): Progress => ({ hasher: new Bun.CryptoHasher('sha256'), bytes: 0, settled: true });

const writeAll = async (file: FileHandle, chunk: Uint8Array, position: number): Promise<void> => {
  let written = 0;
  while (written < chunk.length) {
    written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
  }
};

export type Intake = {
  readonly file: FileHandle;
  readonly body: ReadableStream<Uint8Array>;
  readonly limitBytes: number;
  readonly space: FreeSpace;
  /** Chunks are nobody else's, and cannot be read afterwards. */
  readonly consumes: boolean;
  /** Aborted when the sender has come again on another connection: this one is not waited for any longer. */
  readonly displaced?: AbortSignal;
};

const takeChunk = async (intake: Intake, progress: Progress, chunk: Uint8Array): Promise<void> => {
  const room = intake.limitBytes - progress.bytes;
  const taken = chunk.length > room ? chunk.subarray(0, room) : chunk;
  progress.settled = false;
  const writing = writeAll(intake.file, taken, progress.bytes);
  progress.hasher.update(taken);
  await writing;
  progress.bytes += taken.length;
  progress.settled = true;
  if (taken.length < chunk.length) {
    throw new UploadFault('too-long', progress.bytes, `Expected at most ${intake.limitBytes} bytes, got more.`);
  }
};

const displacedFault = (bytes: number): UploadFault =>
  new UploadFault('displaced', bytes, 'The sender has come again on another connection, which goes on from here.');

/**
 * Writes the body behind what `progress` has, and moves `progress` on. On any fault what arrived is in the file, and
 * the rest of the body is the caller's to cancel. Throws UploadFault `too-long`, `displaced` or `disk-full`, or the body's or the disk's own error.
 */
export const writeBody = async (intake: Intake, progress: Progress): Promise<void> => {
  let nextLook = progress.bytes;
  const reader = intake.body.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  if (intake.displaced?.aborted) stop();
  intake.displaced?.addEventListener('abort', stop);
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (progress.bytes >= nextLook) {
        await intake.space.requireSpace(progress.bytes);
        nextLook = progress.bytes + FREE_SPACE_STRIDE_BYTES;
      }
      await takeChunk(intake, progress, read.value);
      if (intake.consumes) giveBack(read.value);
    }
    if (intake.displaced?.aborted && progress.bytes < intake.limitBytes) throw displacedFault(progress.bytes);
  } catch (fault) {
    throw asUploadFault(fault, (await intake.file.stat()).size);
  } finally {
    intake.displaced?.removeEventListener('abort', stop);
    reader.releaseLock();
  }
};
