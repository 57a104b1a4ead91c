/** Small library files in memory, to go with an offer: the device need not come and fetch them. */
import type { Sha256 } from '@longarm/contract/ids';
import { INLINE_FILE_BYTES } from '@longarm/contract/limits';
import type { BlobStore } from './ports.ts';

/** Files kept; those asked for longest ago go first. */
const KEPT = 64;

export type SmallFiles = {
  /**
   * Base64 of the file's bytes, null for a large one and for one that is not here yet: nobody waits for a disk, the next
   * offer has it.
   */
  readonly find: (file: { readonly sha256: Sha256; readonly sizeBytes: number }) => string | null;
};

export const smallFiles = (blobs: Pick<BlobStore, 'read'>): SmallFiles => {
  /** Null while it is being read. */
  const kept = new Map<Sha256, string | null>();
  const load = async (sha256: Sha256) => {
    kept.set(sha256, null);
    try {
      kept.set(sha256, Buffer.from(await new Response(blobs.read(sha256)).bytes()).toString('base64'));
    } catch {
      // the device fetches it, and hears there what is wrong with it
      kept.delete(sha256);
    }
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
  };
  return {
    find: ({ sha256, sizeBytes }) => {
      if (sizeBytes > INLINE_FILE_BYTES) return null;
      const content = kept.get(sha256);
      if (content === undefined) void load(sha256);
      if (typeof content !== 'string') return null;
      kept.delete(sha256);
      kept.set(sha256, content);
      return content;
    },
  };
};
