/**
 * A collected file as its download has it (semantics 16): gzip without compression. Deterministic, its length
 * known before its first byte is read, and every range of it made from the raw bytes that lie in that range.
 */
import { crc32 } from 'node:zlib';
import type { ByteRange } from '../../library/ports.ts';
import {
  blockHeaderAt,
  blocksBytes,
  gzipHeader,
  gzipTrailer,
  positionOf,
  rawBefore,
  TRAILER_BYTES,
  withBlockHeaders,
} from './gzip-layout.ts';
import { streamOf } from './stream-of.ts';

export type GzipSource = {
  /** The file's name or path; its last part goes into FNAME, what is not Latin-1 replaced by `_`. */
  readonly name: string;
  readonly rawBytes: number;
  /** The raw bytes of a half-open range; at most two streams are read, one after the other. */
  readonly readRaw: (start: number, end: number) => ReadableStream<Uint8Array>;
};

export type GzipStored = {
  /** `Content-Length` of the whole. */
  readonly totalBytes: number;
  /**
   * The whole, or a half-open range of it. The trailer holds a checksum of everything: a range that reaches it and
   * does not hold all raw bytes reads them once more. Errors when the source gives fewer bytes than it said.
   */
  readonly stream: (range?: ByteRange) => ReadableStream<Uint8Array>;
};

type Plan = GzipSource & { readonly header: Uint8Array; readonly trailerAt: number };

/** The bytes of `piece`, which lies at `at`, that are inside the range. */
const clip = (piece: Uint8Array, at: number, range: ByteRange): Uint8Array =>
  piece.subarray(Math.max(0, range.start - at), Math.max(0, range.end - at));

/** Blocks that touch the range, clipped; returns the checksum of the raw bytes when it saw all of them. */
async function* blocks(plan: Plan, range: ByteRange): AsyncGenerator<Uint8Array, number | null> {
  const base = plan.header.length;
  const clamp = (position: number): number => Math.min(Math.max(position, base), plan.trailerAt) - base;
  const start = rawBefore(clamp(range.start));
  const end = rawBefore(clamp(range.end));
  let at = base + positionOf(start);
  const first = blockHeaderAt(start, plan.rawBytes);
  yield clip(first, at, range);
  at += first.length;
  let raw = start;
  let checksum = 0;
  for await (const chunk of end > start ? plan.readRaw(start, end) : []) {
    checksum = crc32(chunk, checksum);
    const framed = withBlockHeaders(chunk, raw, plan.rawBytes);
    yield clip(framed, at, range);
    raw += chunk.length;
    at += framed.length;
  }
  if (raw !== end) throw new Error(`Expected ${end - start} raw bytes, got ${raw - start}: the file is damaged.`);
  return start === 0 && end === plan.rawBytes ? checksum : null;
}

const checksumOf = async (plan: Plan): Promise<number> => {
  let checksum = 0;
  for await (const chunk of plan.readRaw(0, plan.rawBytes)) checksum = crc32(chunk, checksum);
  return checksum;
};

async function* pieces(plan: Plan, range: ByteRange): AsyncGenerator<Uint8Array, void> {
  yield clip(plan.header, 0, range);
  const checksum = yield* blocks(plan, range);
  if (range.end <= plan.trailerAt) return;
  yield clip(gzipTrailer(checksum ?? (await checksumOf(plan)), plan.rawBytes), plan.trailerAt, range);
}

/** What lies outside a range was clipped to nothing. */
async function* nonEmpty(chunks: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) if (chunk.length > 0) yield chunk;
}

export const gzipStored = (source: GzipSource): GzipStored => {
  const header = gzipHeader(source.name);
  const trailerAt = header.length + blocksBytes(source.rawBytes);
  const plan: Plan = { ...source, header, trailerAt };
  const totalBytes = trailerAt + TRAILER_BYTES;
  return {
    totalBytes,
    stream: (range = { start: 0, end: totalBytes }) => streamOf(nonEmpty(pieces(plan, range))),
  };
};
