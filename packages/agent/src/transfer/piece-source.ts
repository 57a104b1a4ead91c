/** A file read in pieces, in any order of retries, whose hash is known at the end: each byte is hashed once, in order. */
import type { FileHandle } from 'node:fs/promises';
import { Sha256 } from '@longarm/contract/ids';
import { faultText } from '../platform/fault.ts';

const SMALLEST_PIECE_BYTES = 65_536;
const FIRST_PIECE_BYTES = 1_048_576;
const LARGEST_PIECE_BYTES = 16_777_216;
/** Read and sent at a time: what a piece holds of memory, however long it is. */
const CHUNK_BYTES = 262_144;

/** The file could not be read as long as it was when it was opened. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';
}

export type Piece = {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Where it ends in the file. */
  readonly endBytes: number;
};

const readWhole = async (
  file: FileHandle,
  { offset, length, sizeBytes }: { readonly offset: number; readonly length: number; readonly sizeBytes: number },
): Promise<Uint8Array<ArrayBuffer>> => {
  const piece = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(piece, filled, length - filled, offset + filled).catch((cause) => {
      throw new SourceFault(`it could not be read: ${faultText(cause)}`, { cause });
    });
    if (bytesRead === 0)
      throw new SourceFault(
        `expected ${sizeBytes} bytes as when it was opened, got ${offset + filled}: it shrank while it was read`,
      );
    filled += bytesRead;
  }
  return piece;
};

export const pieceSource = (file: FileHandle, sizeBytes: number) => {
  const hasher = new Bun.CryptoHasher('sha256');
  let hashedBytes = 0;
  let pieceBytes = FIRST_PIECE_BYTES;
  let fault: unknown = null;

  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const piece = await readWhole(file, { offset, length, sizeBytes });
    if (offset <= hashedBytes && offset + length > hashedBytes) {
      hasher.update(piece.subarray(hashedBytes - offset));
      hashedBytes = offset + length;
    }
    return piece;
  };

  /** Hashes what lies before the offset and was not read yet: the server had it from an earlier run. */
  const hashUpTo = async (offset: number) => {
    while (hashedBytes < offset) await read(hashedBytes, Math.min(CHUNK_BYTES, offset - hashedBytes));
  };

  /** Read only as fast as it is sent; `onRead` is called before each chunk. */
  const streamOf = (start: number, end: number, onRead: () => void): ReadableStream<Uint8Array<ArrayBuffer>> => {
    let offset = start;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
      onRead();
      try {
        const chunk = await read(offset, Math.min(CHUNK_BYTES, end - offset));
        offset += chunk.length;
        controller.enqueue(chunk);
        if (offset === end) controller.close();
      } catch (cause) {
        fault = cause;
        controller.error(cause);
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  };

  return {
    /** Bytes from the offset on, as many as fit one piece. Throws SourceFault. */
    readPiece: async (offset: number, onRead: () => void): Promise<Piece> => {
      await hashUpTo(offset);
      const endBytes = Math.min(offset + pieceBytes, sizeBytes);
      return { body: streamOf(offset, endBytes, onRead), endBytes };
    },
    /** What kept a piece from being read while it was sent, or null: the request that sent it fails in words of its own. */
    fault: (): unknown => fault,
    /** SHA-256 of the whole file as it was read. Call once. Throws SourceFault. */
    hashOfAll: async (): Promise<Sha256> => {
      await hashUpTo(sizeBytes);
      return Sha256.parse(hasher.digest('hex'));
    },
    /** The network is good, or it is not: pieces that fail cost what they hold. */
    growPieces: () => {
      pieceBytes = Math.min(2 * pieceBytes, LARGEST_PIECE_BYTES);
    },
    shrinkPieces: () => {
      pieceBytes = Math.max(Math.floor(pieceBytes / 4), SMALLEST_PIECE_BYTES);
    },
  };
};
