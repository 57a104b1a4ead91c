/**
 * Where bytes lie: `<folder>/sha256/ab/abcdef…` for blobs, `<folder>/incoming/<key>` for what is not whole yet.
 * The only place where a name meets a path.
 */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@longarm/contract/ids';

const KEY_FORM = /^[a-z0-9-]{1,200}$/;

export const isUploadKey = (text: string): boolean => KEY_FORM.test(text);

export type Layout = {
  readonly incoming: string;
  readonly blobs: string;
  readonly incomingPath: (key: string) => string;
  readonly blobFolder: (sha256: Sha256) => string;
  readonly blobPath: (sha256: Sha256) => string;
};

export const diskLayout = (folder: string): Layout => {
  const incoming = join(folder, 'incoming');
  const blobs = join(folder, 'sha256');
  const blobFolder = (sha256: Sha256): string => join(blobs, sha256.slice(0, 2));
  return {
    incoming,
    blobs,
    incomingPath: (key) => {
      // our own mistake, not a caller's: keys are made from ids, never from what a device calls a file
      if (!isUploadKey(key)) throw new TypeError(`Expected a key of a-z, 0-9 and -, got ${JSON.stringify(key)}.`);
      return join(incoming, key);
    },
    blobFolder,
    blobPath: (sha256) => join(blobFolder(sha256), sha256),
  };
};

export const makeFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
};

/** Makes the names in a folder durable: a rename is in the folder, not in the file. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
