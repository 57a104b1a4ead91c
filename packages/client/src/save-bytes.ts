/** A download becomes a file only when it is whole: temporary name, hash on the way, sync, rename. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export type SavedFile = { readonly path: string; readonly sizeBytes: number; readonly sha256: string };

/** What arrived is not what the server says it holds. Nothing was kept. */
export class HashMismatch extends Error {
  override readonly name = 'HashMismatch';
}

export type SaveRequest = {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly path: string;
  /** Beside `path`, and not in use. */
  readonly temporaryPath: string;
  /** Hex, lower case; null: nothing to compare with. */
  readonly expectedSha256: string | null;
  readonly onProgress?: (savedBytes: number) => void;
};

const writeAll = async (file: FileHandle, chunk: Uint8Array): Promise<void> => {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, at);
    at += bytesWritten;
  }
};

const writeHashed = async (file: FileHandle, request: SaveRequest): Promise<Omit<SavedFile, 'path'>> => {
  const hash = new Bun.CryptoHasher('sha256');
  let sizeBytes = 0;
  for await (const chunk of request.bytes) {
    hash.update(chunk);
    await writeAll(file, chunk);
    sizeBytes += chunk.length;
    request.onProgress?.(sizeBytes);
  }
  const sha256 = hash.digest('hex');
  if (request.expectedSha256 !== null && sha256 !== request.expectedSha256) {
    throw new HashMismatch(
      `Expected content with SHA-256 ${request.expectedSha256}, got ${sha256}. Nothing was kept; download it again.`,
    );
  }
  await file.sync();
  return { sizeBytes, sha256 };
};

/** The rename itself is made durable where the system lets a folder be opened. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
};

/** Writes the bytes to `path`, readable by the owner alone. On any failure nothing of it stays behind. */
export const saveBytes = async (request: SaveRequest): Promise<SavedFile> => {
  const file = await open(request.temporaryPath, 'wx', 0o600);
  try {
    const saved = await writeHashed(file, request).finally(() => file.close());
    await rename(request.temporaryPath, request.path);
    await syncFolder(dirname(request.path));
    return { path: request.path, ...saved };
  } catch (error) {
    await rm(request.temporaryPath, { force: true });
    throw error;
  }
};
