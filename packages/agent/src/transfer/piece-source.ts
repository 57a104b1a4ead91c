/** A file read in pieces, in any order of retries, whose hash is known at the end: each byte is hashed once, in order. */
import { Sha256 } from '@longarm/contract/ids';
import { faultText } from '../platform/fault.ts';

const SMALLEST_PIECE_BYTES = 65_536;
const FIRST_PIECE_BYTES = 1_048_576;
const LARGEST_PIECE_BYTES = 16_777_216;
/**
 * A piece is read and sent in chunks, two of which are in memory: long ones cost a fast network fewer steps, short
 * ones show sooner that a slow one still takes something.
 */
const CHUNKS_PER_PIECE = 16;
const SMALLEST_CHUNK_BYTES = 65_536;

/** An opened file, as far as a transfer needs it. */
export type ReadableFile = {
  readonly read: (
    to: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
};

/** The file could not be read as long as it was when it was opened. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';
}

export type Piece = {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Where it ends in the file. */
  readonly endBytes: number;
};

/** Between pieces: the network is good, or it is not, and pieces that fail cost what they hold. */
const pieceLength = () => {
  let bytes = FIRST_PIECE_BYTES;
  return {
    bytes: () => bytes,
    grow: () => {
      bytes = Math.min(2 * bytes, LARGEST_PIECE_BYTES);
    },
    shrink: () => {
      bytes = Math.max(Math.floor(bytes / 4), SMALLEST_PIECE_BYTES);
    },
  };
};

const readWhole = async (
  file: ReadableFile,
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

export const pieceSource = (file: ReadableFile, sizeBytes: number) => {
  const hasher = new Bun.CryptoHasher('sha256');
  let hashedBytes = 0;
  const length = pieceLength();
  let fault: SourceFault | null = null;

  const read = async (offset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> => {
    const chunk = await readWhole(file, { offset, length: bytes, sizeBytes });
    if (offset <= hashedBytes && offset + bytes > hashedBytes) {
      hasher.update(chunk.subarray(hashedBytes - offset));
      hashedBytes = offset + bytes;
    }
    return chunk;
  };

  /** Hashes what lies before the offset and was not read yet: the server had it from an earlier run. */
  const hashUpTo = async (offset: number) => {
    const chunkBytes = LARGEST_PIECE_BYTES / CHUNKS_PER_PIECE;
    while (hashedBytes < offset) await read(hashedBytes, Math.min(chunkBytes, offset - hashedBytes));
  };

  /** Reads one chunk ahead of what is sent, and no more; `onRead` is called before each chunk. */
  const streamOf = (start: number, end: number, onRead: () => void): ReadableStream<Uint8Array<ArrayBuffer>> => {
    let offset = start;
    const chunkBytes = Math.max(length.bytes() / CHUNKS_PER_PIECE, SMALLEST_CHUNK_BYTES);
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
      onRead();
      try {
        const chunk = await read(offset, Math.min(chunkBytes, end - offset));
        offset += chunk.length;
        controller.enqueue(chunk);
        if (offset === end) controller.close();
      } catch (cause) {
        // a piece that was given up while it was read is no fault of the file
        if (cause instanceof SourceFault) fault = cause;
        controller.error(cause);
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 1 });
  };

  return {
    /** The whole file at once: for small ones. Throws SourceFault. */
    readAll: () => read(0, sizeBytes),
    /** Bytes from the offset on, as many as fit one piece. Throws SourceFault. */
    readPiece: async (offset: number, onRead: () => void): Promise<Piece> => {
      await hashUpTo(offset);
      const endBytes = Math.min(offset + length.bytes(), sizeBytes);
      return { body: streamOf(offset, endBytes, onRead), endBytes };
    },
    /** What kept a piece from being read while it was sent, or null: the request that sent it fails in words of its own. */
    fault: (): SourceFault | null => fault,
    /** SHA-256 of the whole file as it was read. Call once. Throws SourceFault. */
    hashOfAll: async (): Promise<Sha256> => {
      await hashUpTo(sizeBytes);
      return Sha256.parse(hasher.digest('hex'));
    },
    growPieces: length.grow,
    shrinkPieces: length.shrink,
  };
};
