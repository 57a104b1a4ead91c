/**
 * Where every byte of a gzip file (RFC 1952) with stored blocks (RFC 1951 3.2.4) lies: header with the name,
 * blocks of 65,535 raw bytes behind 5 bytes each, trailer. Pure arithmetic on the raw length.
 */
import { downloadName } from './download-name.ts';

/** What the 16-bit length of a stored block can hold. */
const BLOCK_RAW_BYTES = 65_535;
const BLOCK_HEADER_BYTES = 5;
const BLOCK_BYTES = BLOCK_HEADER_BYTES + BLOCK_RAW_BYTES;
export const TRAILER_BYTES = 8;

/** Latin-1 without control characters: what RFC 1952 lets a name hold. */
const NOT_LATIN_1 = /[^\u0020-\u007e\u00a0-\u00ff]/gu;

/** No modification time and no operating system: equal bytes and name give an equal file. */
export const gzipHeader = (name: string): Uint8Array => {
  const kept = downloadName(name).replace(NOT_LATIN_1, '_');
  const fileName = Uint8Array.from(kept, (character) => character.charCodeAt(0));
  return Uint8Array.of(0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 255, ...fileName, 0);
};

export const gzipTrailer = (crc32: number, rawBytes: number): Uint8Array => {
  const trailer = new DataView(new ArrayBuffer(TRAILER_BYTES));
  trailer.setUint32(0, crc32, true);
  // keeps the low 32 bits: the modulo that the format asks for
  trailer.setUint32(4, rawBytes, true);
  return new Uint8Array(trailer.buffer);
};

/** Length of all blocks; a file without bytes is one empty block. */
export const blocksBytes = (rawBytes: number): number =>
  rawBytes + BLOCK_HEADER_BYTES * Math.max(1, Math.ceil(rawBytes / BLOCK_RAW_BYTES));

/** Raw bytes that lie before a position, which is counted from the first block. */
export const rawBefore = (position: number): number => {
  const block = Math.floor(position / BLOCK_BYTES);
  return block * BLOCK_RAW_BYTES + Math.max(0, (position % BLOCK_BYTES) - BLOCK_HEADER_BYTES);
};

/** Where a raw byte lies, counted from the first block; the first of a block counts from the block's header. */
export const positionOf = (raw: number): number => {
  const inBlock = raw % BLOCK_RAW_BYTES;
  return Math.floor(raw / BLOCK_RAW_BYTES) * BLOCK_BYTES + (inBlock === 0 ? 0 : BLOCK_HEADER_BYTES + inBlock);
};

/** The header of the block that starts at this raw byte; nothing where none does. */
export const blockHeaderAt = (raw: number, rawBytes: number): Uint8Array => {
  const left = rawBytes - raw;
  if (raw % BLOCK_RAW_BYTES !== 0 || (left === 0 && raw !== 0)) return new Uint8Array(0);
  const length = Math.min(left, BLOCK_RAW_BYTES);
  const isLast = left <= BLOCK_RAW_BYTES ? 1 : 0;
  const complement = length ^ 0xffff;
  return Uint8Array.of(isLast, length & 0xff, length >> 8, complement & 0xff, complement >> 8);
};

/** The raw chunk with the header of each block that starts behind one of its bytes, as one piece. */
export const withBlockHeaders = (chunk: Uint8Array, raw: number, rawBytes: number): Uint8Array => {
  const end = raw + chunk.length;
  const blocks = Math.floor(end / BLOCK_RAW_BYTES) - Math.floor(raw / BLOCK_RAW_BYTES);
  const framed = new Uint8Array(chunk.length + BLOCK_HEADER_BYTES * blocks);
  let length = 0;
  for (let from = raw; from < end; ) {
    const to = Math.min(end, (Math.floor(from / BLOCK_RAW_BYTES) + 1) * BLOCK_RAW_BYTES);
    framed.set(chunk.subarray(from - raw, to - raw), length);
    const header = blockHeaderAt(to, rawBytes);
    framed.set(header, length + to - from);
    length += to - from + header.length;
    from = to;
  }
  return framed.subarray(0, length);
};
