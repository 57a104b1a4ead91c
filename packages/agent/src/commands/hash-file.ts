/** SHA-256 of what lies on this device, without holding it in memory. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Sha256 } from '@longarm/contract/ids';

const CHUNK_BYTES = 1_048_576;

export type HashedFile = { readonly sha256: Sha256; readonly sizeBytes: number };

const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Null when there is no regular file of this very name; a link is none. Rejects when it cannot be read. */
export const hashFile = async (path: string): Promise<HashedFile | null> => {
  const file = await open(path, FLAGS).catch(() => null);
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

const openNow = (path: string): number | null => {
  try {
    return openSync(path, FLAGS);
  } catch {
    return null;
  }
};

/**
 * Whether a regular file of this very name has these bytes, at once: nothing else is done meanwhile, so it is for small files
 * of the agent's own folder, never for a path that somebody named.
 */
export const hasBytesNow = (path: string, { sha256, sizeBytes }: HashedFile): boolean => {
  const file = openNow(path);
  if (file === null) return false;
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size !== sizeBytes) return false;
    const bytes = new Uint8Array(sizeBytes);
    if (readSync(file, bytes, 0, sizeBytes, 0) !== sizeBytes) return false;
    return new Bun.CryptoHasher('sha256').update(bytes).digest('hex') === sha256;
  } finally {
    closeSync(file);
  }
};
