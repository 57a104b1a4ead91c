/** Files too large to hold, made and hashed piece by piece. */
import { open } from 'node:fs/promises';

const PIECE_BYTES = 1_048_576;
const RANDOM_BYTES = 65_536;

/** Writes MiB that are all different; gives the file's SHA-256, hex. */
export const writeLargeFile = async (path: string, mib: number): Promise<string> => {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < PIECE_BYTES; at += RANDOM_BYTES) crypto.getRandomValues(piece.subarray(at, at + RANDOM_BYTES));
  const number = new DataView(piece.buffer);
  const hasher = new Bun.CryptoHasher('sha256');
  const file = await open(path, 'w');
  try {
    for (let place = 0; place < mib; place++) {
      number.setUint32(0, place);
      hasher.update(piece);
      await file.write(piece);
    }
  } finally {
    await file.close();
  }
  return hasher.digest('hex');
};

/** SHA-256 of what the stream brings, hex. */
export const streamHash = async (body: ReadableStream<Uint8Array> | null): Promise<string> => {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of body ?? []) hasher.update(chunk);
  return hasher.digest('hex');
};
