/** Blobs in a local folder: the embedded default. One process owns the folder; its locks are in memory. */
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { BlobStore } from '../library/ports.ts';
import { freeSpace } from './free-space.ts';
import { diskIncoming } from './incoming.ts';
import { diskLayout, makeFolder, syncFolder } from './layout.ts';
import { readRange } from './read-range.ts';
import { diskShelf } from './shelf.ts';

/** Left free on the disk when none is asked for: 64 MiB. */
const MINIMUM_FREE_BYTES = 67_108_864;

export type DiskBlobStoreIo = {
  /** Made, with its parents, where it is not there; mode 0700. */
  readonly folder: string;
  /** Milliseconds since 1970: what a blob's age is counted from. */
  readonly now: () => number;
  /** Bytes that stay free on the disk; new bytes are refused as `disk-full` when only these are left. */
  readonly minimumFreeBytes?: number;
};

/** Opens the folder, or makes it. Rejects with the file system's error where that cannot be done. */
export const diskBlobStore = async (io: DiskBlobStoreIo): Promise<BlobStore> => {
  const layout = diskLayout(io.folder);
  await makeFolder(layout.incoming);
  await makeFolder(layout.blobs);
  await syncFolder(io.folder);
  await syncFolder(dirname(io.folder));
  const space = freeSpace(io.folder, io.minimumFreeBytes ?? MINIMUM_FREE_BYTES);
  const shelf = diskShelf(layout);
  const incoming = diskIncoming({ layout, shelf, space, now: io.now });
  return {
    ...incoming,
    size: shelf.size,
    olderThan: shelf.olderThan,
    removeIfOlder: shelf.removeIfOlder,
    freeBytes: space.freeBytes,
    read: (sha256, range) => readRange(layout.blobPath(sha256), range),
    put: async (body, maxBytes) => {
      const key = `put-${randomUUID()}`;
      try {
        const sizeBytes = await incoming.append(key, { offset: 0, lengthBytes: maxBytes, body });
        return await incoming.complete(key, sizeBytes);
      } catch (fault) {
        await incoming.discard(key);
        throw fault;
      }
    },
  };
};
