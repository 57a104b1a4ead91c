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
  /** All of it where it is short, and then it may be nowhere else: whoever tells of it keeps this. Null for more. */
  readonly content: Uint8Array | null;
};

/**
 * Bytes of an output that is kept where its end is written down, in the same sync, whatever became of its file. Most scripts say
 * less, and one that is to look at a full disk has to be heard.
 */
const SHORT_BYTES = 4_096;

export type Capture = {
  readonly done: Promise<Captured>;
  /** Stops reading: something that outlived the process holds the other end open. What came so far is kept. */
  readonly abandon: () => void;
};

type Reader = { readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> };
type Hasher = InstanceType<typeof Bun.CryptoHasher>;

/** `writtenBytes` of the `madeBytes` that came were taken by the disk; `start` is what came while it was short. */
type Progress = { writtenBytes: number; madeBytes: number; fault: string | null; readonly start: Uint8Array[] };

const readInto = async (writer: SpoolWriter, reader: Reader, onWritten: (chunk: Uint8Array, at: number) => void) => {
  const progress: Progress = { writtenBytes: 0, madeBytes: 0, fault: null, start: [] };
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const chunk = read.value ?? new Uint8Array();
    progress.madeBytes += chunk.length;
    if (progress.madeBytes <= SHORT_BYTES) progress.start.push(chunk);
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

/** `hasher` has seen the head. */
type Read = Progress & { readonly hasher: Hasher };

/** What fits into the head is whole as it lies there: the file that was written needs its sync alone. */
const sealFile = (to: Spool, writer: SpoolWriter, { hasher, writtenBytes, fault }: Read): Promise<Sealed> =>
  fault === null && writtenBytes <= headBytes(to)
    ? writer.sync().then(() => ({ sizeBytes: writtenBytes, cutBytes: 0 }))
    : sealOutput(to, writtenBytes, (chunk) => void hasher.update(chunk));

type Kept = Omit<Captured, 'path' | 'content'>;

/** All that came, where it is short and its head holds it; null for more. */
const shortContent = (to: Spool, { madeBytes, start }: Progress): Uint8Array | null =>
  madeBytes <= Math.min(SHORT_BYTES, headBytes(to)) ? Buffer.concat(start) : null;

const keptWhole = (content: Uint8Array): Kept => {
  const sha256 = Sha256.parse(new Bun.CryptoHasher('sha256').update(content).digest('hex'));
  return { sizeBytes: content.length, cutBytes: 0, sha256, fault: null };
};

/** After a fault of the disk only what is whole up to it is kept, and the head alone when there is no room for more. */
const seal = async (to: Spool, writer: SpoolWriter, whole: Read): Promise<Kept> => {
  const { hasher, ...read } = whole;
  const head = hasher.copy().digest('hex');
  const keepHead = async (fault: string): Promise<Kept> => {
    const sizeBytes = Math.min(read.writtenBytes, headBytes(to));
    await sealHead(to, sizeBytes);
    return { sizeBytes, cutBytes: read.madeBytes - sizeBytes, sha256: Sha256.parse(head), fault };
  };
  if (read.fault !== null && read.writtenBytes > to.maxBytes) return keepHead(read.fault);
  try {
    const sealed = await sealFile(to, writer, whole);
    const cutBytes = sealed.cutBytes + read.madeBytes - read.writtenBytes;
    return { ...sealed, cutBytes, sha256: Sha256.parse(hasher.digest('hex')), fault: read.fault };
  } catch (fault) {
    return keepHead(faultText(fault));
  }
};

const spool = async (reader: Reader, to: Spool): Promise<Captured> => {
  removeOutput(to.path);
  const writer = await spoolWriter(to);
  const hasher = new Bun.CryptoHasher('sha256');
  const onWritten = (chunk: Uint8Array, at: number) =>
    void hasher.update(chunk.subarray(0, Math.max(0, headBytes(to) - at)));
  try {
    const progress = await readInto(writer, reader, onWritten);
    const content = shortContent(to, progress);
    const kept = content === null ? await seal(to, writer, { ...progress, hasher }) : keptWhole(content);
    return { path: to.path, content, ...kept };
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
