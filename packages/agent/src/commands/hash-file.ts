/** SHA-256 of what lies on this device, without holding it in memory. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Sha256 } from '@longarm/contract/ids';

const CHUNK_BYTES = 1_048_576;

export type HashedFile = { readonly sha256: Sha256; readonly sizeBytes: number };

/** Null when there is no regular file of this very name; a link is none. Rejects when it cannot be read. */
export const hashFile = async (path: string): Promise<HashedFile | null> => {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, flags).catch(() => null);
  if (file === null) return null;
  try {
    if (!(await file.stat()).isFile()) return null;
    const hasher = new Bun.CryptoHasher('sha256');
    const chunk = new Uint8Array(CHUNK_BYTES);
    let sizeBytes = 0;
    for (let read = await file.read(chunk); read.bytesRead > 0; read = await file.read(chunk)) {
      hasher.update(chunk.subarray(0, read.bytesRead));
      sizeBytes += read.bytesRead;
    }
    return { sha256: Sha256.parse(hasher.digest('hex')), sizeBytes };
  } finally {
    await file.close();
  }
};
