/**
 * Small files that must be there whole or not at all, whatever crashes: keys, secrets, certificates. Written to
 * a temporary beside them, synced, given their name in one step, and the folder synced. Mode 0600, folders 0700.
 */

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { faultCode } from '@longarm/contract/system-fault';

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const writeSynced = async (path: string, content: string | Uint8Array): Promise<void> => {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const throughTemporary = async (
  path: string,
  content: string | Uint8Array,
  giveName: (temporary: string) => Promise<void>,
): Promise<void> => {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeSynced(temporary, content);
    await giveName(temporary);
    await syncFolder(folder);
  } finally {
    await rm(temporary, { force: true });
  }
};

/** Writes the file, in place of one that may be there. A reader sees the old content or the new, never a part. */
export const replaceFile = (path: string, content: string | Uint8Array): Promise<void> =>
  throughTemporary(path, content, (temporary) => rename(temporary, path));

/** The file's bytes, or null when there is none. Other faults of the file system are thrown as they are. */
export const readFileOrNull = async (path: string): Promise<Uint8Array | null> => {
  try {
    return await readFile(path);
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return null;
    throw fault;
  }
};

/**
 * The file's bytes, made first where there is none. Of several that make it at once one wins, and all answer with
 * what it wrote: the name is given by a hard link, which refuses a name that is taken.
 */
export const readOrCreateFile = async (
  path: string,
  make: () => string | Uint8Array | Promise<string | Uint8Array>,
): Promise<Uint8Array> => {
  const present = await readFileOrNull(path);
  if (present !== null) return present;
  const content = await make();
  await throughTemporary(path, content, async (temporary) => {
    try {
      await link(temporary, path);
    } catch (fault) {
      if (faultCode(fault) !== 'EEXIST') throw fault;
    }
  });
  return readFile(path);
};
