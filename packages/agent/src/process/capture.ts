/**
 * One output of a process, spooled to disk and hashed on the way. Past its bound its head and its tail are kept, with
 * a line between them that says how much is missing. Memory does not grow with it.
 */
import { Sha256 } from '@longarm/contract/ids';
import { faultText } from '../platform/fault.ts';
import { headBytes, removeOutput, type Spool } from './output-files.ts';
import { type Sealed, sealHead, sealOutput } from './seal-output.ts';
import { type SpoolWriter, spoolWriter } from './spool-writer.ts';

export type Captured = {
  readonly path: string;
  /** Bytes of the file: what is kept, and the line about what is not. */
  readonly sizeBytes: number;
  /** Bytes that came and were not kept. */
  readonly cutBytes: number;
  readonly sha256: Sha256;
  /** Why the disk took no more; null when it took all. */
  readonly fault: string | null;
  /** All of it where it is short, and then its file is not synced: whoever tells of it keeps this. Null for more. */
  readonly content: Uint8Array | null;
};

/** Bytes of an output that is kept where its end is written down, in the same sync: what most scripts say is less. */
const SHORT_BYTES = 4_096;

export type Capture = {
  readonly done: Promise<Captured>;
  /** Stops reading: something that outlived the process holds the other end open. What came so far is kept. */
  readonly abandon: () => void;
};

type Reader = { readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> };
type Hasher = InstanceType<typeof Bun.CryptoHasher>;

/** `writtenBytes` of the `madeBytes` that came were taken by the disk. */
type Progress = { writtenBytes: number; madeBytes: number; fault: string | null };

/** Holds an output while it is short. */
const shortOutput = () => {
  let chunks: Uint8Array[] | null = [];
  let bytes = 0;
  return {
    add: (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > SHORT_BYTES) chunks = null;
      chunks?.push(chunk);
    },
    /** Null when it was long. */
    whole: (): Uint8Array | null => (chunks === null ? null : Buffer.concat(chunks)),
  };
};

const readInto = async (writer: SpoolWriter, reader: Reader, onWritten: (chunk: Uint8Array, at: number) => void) => {
  const progress: Progress = { writtenBytes: 0, madeBytes: 0, fault: null };
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const chunk = read.value ?? new Uint8Array();
    progress.madeBytes += chunk.length;
    // a process that nobody reads from would hang: go on reading, keep what is there
    if (progress.fault !== null) continue;
    try {
      await writer.write(chunk);
      onWritten(chunk, progress.writtenBytes);
      progress.writtenBytes += chunk.length;
    } catch (fault) {
      progress.fault = faultText(fault);
    }
  }
  return progress;
};

/** `hasher` has seen the head; `content` is all of the output, where that is short and the disk took it. */
type Read = Progress & { readonly hasher: Hasher; readonly content: Uint8Array | null };

/** It lies in its file as it came, and in no other. */
const isWhole = (to: Spool, { writtenBytes, fault }: Progress): boolean =>
  fault === null && writtenBytes <= headBytes(to);

/** What is whole needs its sync alone, or not even that. */
const sealFile = async (to: Spool, writer: SpoolWriter, read: Read): Promise<Sealed> => {
  const { hasher, writtenBytes, content } = read;
  if (!isWhole(to, read)) return sealOutput(to, writtenBytes, (chunk) => void hasher.update(chunk));
  if (content === null) await writer.sync();
  return { sizeBytes: writtenBytes, cutBytes: 0 };
};

/** After a fault of the disk only what is whole up to it is kept, and the head alone when there is no room for more. */
const seal = async (to: Spool, writer: SpoolWriter, whole: Read): Promise<Omit<Captured, 'path'>> => {
  const { hasher, content, ...read } = whole;
  const head = hasher.copy().digest('hex');
  const keepHead = async (fault: string): Promise<Omit<Captured, 'path'>> => {
    const sizeBytes = Math.min(read.writtenBytes, headBytes(to));
    await sealHead(to, sizeBytes);
    return { sizeBytes, cutBytes: read.madeBytes - sizeBytes, sha256: Sha256.parse(head), fault, content: null };
  };
  if (read.fault !== null && read.writtenBytes > to.maxBytes) return keepHead(read.fault);
  try {
    const sealed = await sealFile(to, writer, whole);
    const cutBytes = sealed.cutBytes + read.madeBytes - read.writtenBytes;
    return { ...sealed, cutBytes, sha256: Sha256.parse(hasher.digest('hex')), fault: read.fault, content };
  } catch (fault) {
    return keepHead(faultText(fault));
  }
};

const spool = async (reader: Reader, to: Spool): Promise<Captured> => {
  removeOutput(to.path);
  const writer = await spoolWriter(to);
  const hasher = new Bun.CryptoHasher('sha256');
  const short = shortOutput();
  const onWritten = (chunk: Uint8Array, at: number) => {
    hasher.update(chunk.subarray(0, Math.max(0, headBytes(to) - at)));
    short.add(chunk);
  };
  try {
    const progress = await readInto(writer, reader, onWritten);
    const content = isWhole(to, progress) ? short.whole() : null;
    return { path: to.path, ...(await seal(to, writer, { ...progress, hasher, content })) };
  } finally {
    await writer.close();
  }
};

/** Reads the stream to its end. `done` rejects only when the spool file cannot be made or kept. */
export const capture = (stream: ReadableStream<Uint8Array>, to: Spool): Capture => {
  const reader = stream.getReader();
  const done = spool(reader, to);
  // who waits for the process first hears of it later, and nobody shall be told meanwhile that nobody listens
  done.catch(() => {});
  return {
    done,
    abandon: () => void reader.cancel().catch(() => {}),
  };
};
