/** A library file from the server to a path: resumed after a cut, believed when its size and hash are those pinned. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Sha256 } from '@longarm/contract/ids';
import { faultText } from '../platform/fault.ts';
import { type Attempt, repeatUntilDone, type Stopped, transferFault } from './attempts.ts';
import { giveBack } from './give-back.ts';
import {
  authorised,
  isForLater,
  ON_A_CONNECTION_OF_ITS_OWN,
  SILENT_HEARTBEATS,
  type TicketHolder,
  type TransferIo,
} from './transfer-io.ts';

/** Bytes asked for in one request: what is buffered on the way is bounded by it. */
const PIECE_BYTES = 16_777_216;

export type Download = {
  /** Path below the server's address. */
  readonly from: string;
  /** File to be made; its mode is 0600 and its bytes are synced when `done`. */
  readonly to: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
  readonly ticket: TicketHolder;
  readonly stop: AbortSignal;
};

export type DownloadEnd = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly sentence: string } | Stopped;

/** `hasFailed`: the attempt before this one. */
type Progress = { readonly file: FileHandle; readonly hasher: Bun.CryptoHasher; bytes: number; hasFailed: boolean };

const failed = (sentence: string): Attempt<DownloadEnd> => ({ kind: 'end', end: { kind: 'failed', sentence } });

/** Aborts what nothing has come on for two heartbeats: the server has nothing to do but to read the file. */
const silenceGuard = (io: TransferIo, stop: AbortSignal) => {
  const silent = new AbortController();
  const wake = () => silent.abort(new Error('nothing came for two heartbeats'));
  const arm = () => io.after(SILENT_HEARTBEATS * io.heartbeatMs(), wake);
  let callOff = arm();
  return {
    signal: AbortSignal.any([stop, silent.signal]),
    heard: () => {
      callOff();
      callOff = arm();
    },
    end: () => callOff(),
  };
};

/** The disk does not take the file; trying again soon would not help. */
class DiskFault extends Error {
  override readonly name = 'DiskFault';
}

const onDisk = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (cause) {
    throw new DiskFault(`this device could not keep the file: ${faultText(cause)}`, { cause });
  }
};

const writeAll = (file: FileHandle, chunk: Uint8Array): Promise<void> =>
  onDisk(async () => {
    for (let written = 0; written < chunk.length; )
      written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
  });

const syncAll = (file: FileHandle): Promise<void> => onDisk(() => file.sync());

const takeBody = async (
  body: ReadableStream<Uint8Array>,
  to: Progress,
  bound: { readonly endBytes: number; readonly heard: () => void },
): Promise<void> => {
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const chunk = read.value.subarray(0, bound.endBytes - to.bytes);
      await writeAll(to.file, chunk);
      to.hasher.update(chunk);
      to.bytes += chunk.length;
      // what this device's own disk took is no silence of the server
      bound.heard();
      const isOver = chunk.length < read.value.length;
      giveBack(read.value);
      if (isOver) break;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
};

/** The bytes that the answer holds start where we are: 206 that says so, or the whole file from its start. */
const isWhereWeAre = (answer: Response, bytes: number): boolean =>
  answer.status === 206
    ? answer.headers.get('content-range')?.startsWith(`bytes ${bytes}-`) === true
    : answer.status === 200 && bytes === 0;

const judge = (download: Download, progress: Progress): Attempt<DownloadEnd> => {
  const got = progress.hasher.digest('hex');
  return got === download.sha256
    ? { kind: 'end', end: { kind: 'done' } }
    : failed(`expected a file with SHA-256 ${download.sha256}, got ${got}: it was changed on the server or on the way`);
};

const fetchPiece = async (io: TransferIo, download: Download, progress: Progress): Promise<Attempt<DownloadEnd>> => {
  const before = progress.bytes;
  const endBytes = Math.min(before + PIECE_BYTES, download.sizeBytes);
  const guard = silenceGuard(io, download.stop);
  try {
    const answer = await io.request(download.from, {
      headers: authorised(io, download.ticket, {
        method: 'GET',
        path: download.from,
        headers: { Range: `bytes=${before}-${endBytes - 1}` },
      }),
      signal: guard.signal,
      ...(progress.hasFailed ? ON_A_CONNECTION_OF_ITS_OWN : {}),
    });
    progress.hasFailed = false;
    if (answer.status === 401) download.ticket.refused();
    if (!answer.ok && !isForLater(answer.status))
      return failed(`the server refused the file with HTTP ${answer.status}`);
    if (!answer.ok) return { kind: 'again', fault: `HTTP ${answer.status}`, moved: false };
    if (!isWhereWeAre(answer, before) || answer.body === null)
      return failed(`expected the file's bytes from ${before} on, got HTTP ${answer.status} with others`);
    // a 200 brings the whole file, whatever was asked for
    const end = answer.status === 200 ? download.sizeBytes : endBytes;
    await takeBody(answer.body, progress, { endBytes: end, heard: guard.heard });
  } finally {
    guard.end();
  }
  return { kind: 'again', fault: 'the answer ended early', moved: progress.bytes > before };
};

const attempt = async (io: TransferIo, download: Download, progress: Progress): Promise<Attempt<DownloadEnd>> => {
  while (progress.bytes < download.sizeBytes) {
    const before = progress.bytes;
    const came = await fetchPiece(io, download, progress);
    const isPieceWhole = progress.bytes === Math.min(before + PIECE_BYTES, download.sizeBytes);
    if (came.kind === 'end' || (!isPieceWhole && progress.bytes < download.sizeBytes)) return came;
  }
  await syncAll(progress.file);
  return judge(download, progress);
};

/** A connection that broke off may have brought something before: pauses do not grow then. */
const attemptOnDisk = async (io: TransferIo, download: Download, progress: Progress): Promise<Attempt<DownloadEnd>> => {
  const before = progress.bytes;
  try {
    return await attempt(io, download, progress);
  } catch (fault) {
    if (fault instanceof DiskFault) return failed(fault.message);
    progress.hasFailed = true;
    return { kind: 'again', fault: transferFault(fault), moved: progress.bytes > before };
  }
};

/** Downloads until done, refused or stopped. Rejects when the file cannot be made. */
export const download = async (io: TransferIo, order: Download): Promise<DownloadEnd> => {
  const file = await open(order.to, 'w', 0o600);
  try {
    const progress: Progress = { file, hasher: new Bun.CryptoHasher('sha256'), bytes: 0, hasFailed: false };
    return await repeatUntilDone(io, order.stop, () => attemptOnDisk(io, order, progress));
  } finally {
    await file.close();
  }
};
