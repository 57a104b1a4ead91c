/** One output of a process, spooled to a file and hashed on the way; past its bound it is counted and let go. */
import { type FileHandle, open } from 'node:fs/promises';
import { Sha256 } from '@longarm/contract/ids';
import { faultText } from '../platform/fault.ts';

export type Captured = {
  readonly path: string;
  /** Bytes kept. */
  readonly sizeBytes: number;
  /** Bytes that came and were not kept. */
  readonly cutBytes: number;
  readonly sha256: Sha256;
  /** Why the disk took no more; null when it took all. */
  readonly fault: string | null;
};

export type Capture = {
  readonly done: Promise<Captured>;
  /** Stops reading: something that outlived the process holds the other end open. What came so far is kept. */
  readonly abandon: () => void;
};

type Spool = { readonly path: string; readonly maxBytes: number };

type Progress = { sizeBytes: number; cutBytes: number; fault: string | null };

const writeAll = async (file: FileHandle, chunk: Uint8Array): Promise<void> => {
  for (let written = 0; written < chunk.length; )
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
};

const readInto = async (
  file: FileHandle,
  reader: { readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> },
  { maxBytes }: Spool,
): Promise<Progress & { readonly sha256: Sha256 }> => {
  const progress: Progress = { sizeBytes: 0, cutBytes: 0, fault: null };
  const hasher = new Bun.CryptoHasher('sha256');
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const chunk = read.value ?? new Uint8Array();
    const room = progress.fault === null ? maxBytes - progress.sizeBytes : 0;
    const kept = chunk.subarray(0, Math.max(0, room));
    try {
      await writeAll(file, kept);
      hasher.update(kept);
      progress.sizeBytes += kept.length;
      progress.cutBytes += chunk.length - kept.length;
    } catch (fault) {
      // a process that nobody reads from would hang: go on reading, keep what is there
      progress.fault = faultText(fault);
      progress.cutBytes += chunk.length;
    }
  }
  return { ...progress, sha256: Sha256.parse(hasher.digest('hex')) };
};

const spool = async (reader: Parameters<typeof readInto>[1], to: Spool): Promise<Captured> => {
  const file = await open(to.path, 'w', 0o600);
  try {
    const { sizeBytes, ...read } = await readInto(file, reader, to);
    // what a failed write left behind the last whole chunk is not part of the result
    await file.truncate(sizeBytes);
    await file.sync();
    return { path: to.path, sizeBytes, ...read };
  } finally {
    await file.close();
  }
};

/** Reads the stream to its end. `done` rejects only when the spool file cannot be made or kept. */
export const capture = (stream: ReadableStream<Uint8Array>, to: Spool): Capture => {
  const reader = stream.getReader();
  return {
    done: spool(reader, to),
    abandon: () => void reader.cancel().catch(() => {}),
  };
};
