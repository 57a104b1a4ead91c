/** Blobs as the port promises them: bytes that arrived are kept, a blob is there whole or not at all. */
import { Sha256 } from '@longarm/contract/ids';
import { type BlobStore, UploadFault } from '@longarm/server/library/ports';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';

type Shelved = { readonly bytes: Uint8Array; readonly putAt: number };

export type BlobMedium = {
  readonly openedBy: (life: Life, now: () => number) => BlobStore;
  readonly put: (bytes: Uint8Array) => Sha256;
  readonly read: (sha256: string) => Uint8Array | null;
  /** Every key that an upload ever had. */
  readonly keys: () => readonly string[];
  /** Unfinished uploads lose what was not synced. */
  readonly losePower: () => void;
};

export const sha256Of = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(new Bun.CryptoHasher('sha256').update(bytes).digest('hex'));

type Shelves = {
  readonly shelf: Map<string, Shelved>;
  readonly incoming: Map<string, Uint8Array>;
  readonly keys: Set<string>;
};
type BlobIo = {
  readonly faults: Faults;
  readonly random: Random;
  /** A part of an upload that takes its time has come. */
  readonly onSlowUpload: () => void;
};
type Part = Parameters<BlobStore['append']>[1];

const take = async (
  io: BlobIo,
  shelves: Shelves,
  to: { readonly key: string; readonly part: Part; readonly life: Life },
) => {
  const { incoming } = shelves;
  const { key, part, life } = to;
  const had = incoming.get(key)?.length ?? 0;
  if (part.offset !== had) throw new UploadFault('offset', had, `expected offset ${had}`);
  const reader = part.body.getReader();
  const isSlow = io.faults.strikes('upload-slow', 0.2);
  const longestMs = isSlow ? 10_000 : 20;
  for (;;) {
    await life.sleep(io.random.int(0, longestMs));
    const { value, done } = await reader.read();
    life.pass();
    const before = incoming.get(key) ?? new Uint8Array();
    if (done) return before.length;
    if (io.faults.strikes('blobs-full', 0.05)) throw new UploadFault('disk-full', before.length, 'the disk is full');
    const fits = value.subarray(0, part.lengthBytes - before.length);
    incoming.set(key, Buffer.concat([before, fits]));
    if (isSlow) io.onSlowUpload();
    if (fits.length < value.length) throw new UploadFault('too-long', part.lengthBytes, 'more came than was told');
  }
};

const openStore = (
  io: BlobIo,
  shelves: Shelves,
  run: { readonly life: Life; readonly now: () => number },
): BlobStore => {
  const { shelf, incoming, keys } = shelves;
  const { life, now } = run;
  const tails = new Map<string, Promise<unknown>>();
  const shelve = (bytes: Uint8Array) => {
    const sha256 = sha256Of(bytes);
    shelf.set(sha256, { bytes, putAt: now() });
    return { sha256, sizeBytes: bytes.length };
  };
  return {
    uploadedBytes: async (key) => incoming.get(key)?.length ?? 0,
    append: (key, part) => {
      keys.add(key);
      const appended = (tails.get(key) ?? Promise.resolve()).then(() => take(io, shelves, { key, part, life }));
      tails.set(
        key,
        appended.catch(() => {}),
      );
      return appended;
    },
    complete: async (key, lengthBytes) => {
      await life.sleep(io.random.int(0, 30));
      life.pass();
      const bytes = incoming.get(key) ?? new Uint8Array();
      if (bytes.length !== lengthBytes) throw new UploadFault('incomplete', bytes.length, 'not whole');
      incoming.delete(key);
      return shelve(bytes);
    },
    discard: async (key) => void incoming.delete(key),
    put: async () => {
      throw new Error('nobody uploads to the library in this world');
    },
    size: async (sha256) => shelf.get(sha256)?.bytes.length ?? null,
    read: (sha256, range) => {
      const bytes = shelf.get(sha256)?.bytes.slice(range?.start ?? 0, range?.end);
      return new ReadableStream(
        {
          pull: (controller) => {
            if (bytes === undefined) return controller.error(new Error('no such blob'));
            if (bytes.length > 0) controller.enqueue(bytes);
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
    },
    olderThan: async function* (moment) {
      for (const [sha256, { putAt }] of [...shelf]) if (putAt < moment) yield Sha256.parse(sha256);
    },
    removeIfOlder: async (sha256, moment) => {
      const found = shelf.get(sha256);
      return found !== undefined && found.putAt < moment && shelf.delete(sha256);
    },
    discardStale: async () => 0,
    freeBytes: async () => null,
  };
};

export const blobMedium = (io: BlobIo): BlobMedium => {
  const shelves: Shelves = { shelf: new Map(), incoming: new Map(), keys: new Set() };
  return {
    openedBy: (life, now) => openStore(io, shelves, { life, now }),
    put: (bytes) => {
      const sha256 = sha256Of(bytes);
      shelves.shelf.set(sha256, { bytes, putAt: 0 });
      return sha256;
    },
    read: (sha256) => shelves.shelf.get(sha256)?.bytes ?? null,
    keys: () => [...shelves.keys],
    losePower: () => {
      for (const [key, bytes] of shelves.incoming)
        if (io.faults.strikes('upload-forgotten', 0.7))
          shelves.incoming.set(key, bytes.slice(0, io.random.int(0, bytes.length)));
    },
  };
};
