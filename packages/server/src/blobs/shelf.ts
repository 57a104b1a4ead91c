/** Whole blobs under their hashes. A blob's modification time is the last moment at which somebody put it. */
import { open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSha256, type Sha256 } from '@longarm/contract/ids';
import { type Layout, makeFolder, syncFolder } from './layout.ts';
import { namedLock } from './lock.ts';
import { nullIfAbsent } from './null-if-absent.ts';

export type Shelf = {
  /** Takes the file, which must be synced, under its hash; durable when it resolves. Over an equal blob: fresh again. */
  readonly place: (path: string, sha256: Sha256) => Promise<void>;
  readonly size: (sha256: Sha256) => Promise<number | null>;
  readonly olderThan: (moment: number) => AsyncIterable<Sha256>;
  readonly removeIfOlder: (sha256: Sha256, moment: number) => Promise<boolean>;
};

/** Modification time in whole milliseconds: what was set, since a file system may keep a fraction more or less. */
export const modifiedAt = async (path: string): Promise<number | null> => {
  const found = await nullIfAbsent(stat(path));
  return found === null ? null : Math.round(found.mtimeMs);
};

/** Sets the time that `modifiedAt` tells, and makes content and time durable. Makes an empty file where none is. */
export const stampAndSync = async (path: string, moment: number): Promise<void> => {
  const file = await open(path, 'a', 0o600);
  try {
    await file.utimes(new Date(moment), new Date(moment));
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Makes the folder of a prefix once, durably: the name of a new folder is in its parent. */
const durableFolders = (layout: Layout) => {
  const made = new Map<string, Promise<void>>();
  const make = async (folder: string): Promise<void> => {
    try {
      await makeFolder(folder);
      await syncFolder(layout.blobs);
    } catch (fault) {
      made.delete(folder);
      throw fault;
    }
  };
  return (folder: string): Promise<void> => {
    const known = made.get(folder) ?? make(folder);
    made.set(folder, known);
    return known;
  };
};

async function* blobsOlderThan(layout: Layout, moment: number): AsyncIterable<Sha256> {
  for await (const prefix of await opendir(layout.blobs)) {
    if (!prefix.isDirectory()) continue;
    for await (const entry of await opendir(join(layout.blobs, prefix.name))) {
      const sha256 = parseSha256(entry.name);
      if (sha256 === null) continue;
      const at = await modifiedAt(layout.blobPath(sha256));
      if (at !== null && at < moment) yield sha256;
    }
  }
}

export const diskShelf = (layout: Layout): Shelf => {
  // a blob put again between the look at its age and its removal would be lost: both hold the lock of its hash
  const lock = namedLock();
  const ensureFolder = durableFolders(layout);
  return {
    place: (path, sha256) =>
      lock.run(sha256, async () => {
        const folder = layout.blobFolder(sha256);
        await ensureFolder(folder);
        await rename(path, layout.blobPath(sha256));
        await syncFolder(folder);
      }),
    size: async (sha256) => (await nullIfAbsent(stat(layout.blobPath(sha256))))?.size ?? null,
    olderThan: (moment) => blobsOlderThan(layout, moment),
    removeIfOlder: (sha256, moment) =>
      lock.run(sha256, async () => {
        const at = await modifiedAt(layout.blobPath(sha256));
        if (at === null || at >= moment) return false;
        await rm(layout.blobPath(sha256));
        return true;
      }),
  };
};
