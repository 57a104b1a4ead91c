/** Unfinished uploads: grown by appends, kept over a restart, moved to the shelf when whole. */
import { constants } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { Sha256 } from '@longarm/contract/ids';
import { type BlobStore, UploadFault } from '../library/ports.ts';
import type { FreeSpace } from './free-space.ts';
import { isUploadKey, type Layout } from './layout.ts';
import { type Lock, namedLock } from './lock.ts';
import { nullIfAbsent } from './null-if-absent.ts';
import { progressBook } from './progress-book.ts';
import { modifiedAt, type Shelf, stampAndSync } from './shelf.ts';
import { type Progress, writeBody } from './write-body.ts';

export type IncomingIo = {
  readonly layout: Layout;
  readonly shelf: Shelf;
  readonly space: FreeSpace;
  readonly now: () => number;
};

type Incoming = Pick<BlobStore, 'uploadedBytes' | 'append' | 'complete' | 'discard' | 'discardStale'>;
type Part = Parameters<BlobStore['append']>[1];
type DisplaceablePart = Part & { readonly displaced: AbortSignal };

const offsetFault = (part: Part, uploadedBytes: number): UploadFault | null => {
  if (part.offset !== uploadedBytes) {
    const sentence = `Expected the upload to go on at byte ${uploadedBytes}, got ${part.offset}. Resume from there.`;
    return new UploadFault('offset', uploadedBytes, sentence);
  }
  if (uploadedBytes <= part.lengthBytes) return null;
  const sentence = `Expected at most ${part.lengthBytes} bytes in all, and ${uploadedBytes} are here already.`;
  return new UploadFault('too-long', uploadedBytes, sentence);
};

type SweepIo = { readonly layout: Layout; readonly lock: Lock; readonly discard: (key: string) => Promise<void> };

const discardStaleUploads =
  ({ layout, lock, discard }: SweepIo) =>
  async (moment: number): Promise<number> => {
    let discarded = 0;
    for (const key of await readdir(layout.incoming)) {
      // held: bytes are arriving, so it is not stale, and waiting for a slow sender would hold up the rest
      if (!isUploadKey(key) || lock.isHeld(key)) continue;
      await lock.run(key, async () => {
        const at = await modifiedAt(layout.incomingPath(key));
        if (at === null || at >= moment) return;
        await discard(key);
        discarded += 1;
      });
    }
    return discarded;
  };

/** Of two senders of one upload the later goes on: a dead connection would hold the key until the runtime notices. */
const newestSender = (append: (key: string, part: DisplaceablePart) => Promise<number>): Incoming['append'] => {
  const takers = new Map<string, AbortController>();
  return async (key, part) => {
    const taker = new AbortController();
    takers.get(key)?.abort();
    takers.set(key, taker);
    try {
      return await append(key, { ...part, displaced: taker.signal });
    } catch (fault) {
      // let go of the sender; a body that broke by itself cannot be cancelled, and only says so again
      part.body.cancel(fault).catch(() => undefined);
      throw fault;
    } finally {
      if (takers.get(key) === taker) takers.delete(key);
    }
  };
};

export const diskIncoming = (io: IncomingIo): Incoming => {
  const lock = namedLock();
  const book = progressBook();

  const uploadedBytes = async (key: string): Promise<number> =>
    (await nullIfAbsent(stat(io.layout.incomingPath(key))))?.size ?? 0;

  const grow = async (path: string, part: DisplaceablePart, progress: Progress): Promise<void> => {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      const { body, lengthBytes: limitBytes, consumes = false, displaced } = part;
      await writeBody({ file, body, limitBytes, space: io.space, consumes, displaced }, progress);
    } finally {
      await file.utimes(new Date(io.now()), new Date(io.now()));
      await file.close();
    }
  };

  const append = async (key: string, part: DisplaceablePart): Promise<number> => {
    const present = await uploadedBytes(key);
    const fault = offsetFault(part, present);
    if (fault !== null) throw fault;
    const path = io.layout.incomingPath(key);
    const progress = await book.progressOf(key, { path, bytes: present });
    await grow(path, part, progress);
    return progress.bytes;
  };

  const complete = async (key: string, lengthBytes: number) => {
    const sizeBytes = await uploadedBytes(key);
    if (sizeBytes !== lengthBytes) {
      const sentence = `Expected ${lengthBytes} bytes in all, got ${sizeBytes} so far.`;
      throw new UploadFault('incomplete', sizeBytes, sentence);
    }
    const path = io.layout.incomingPath(key);
    const progress = await book.progressOf(key, { path, bytes: sizeBytes });
    book.forget(key);
    const sha256 = Sha256.parse(progress.hasher.digest('hex'));
    await stampAndSync(path, io.now());
    await io.shelf.place(path, sha256);
    return { sha256, sizeBytes };
  };

  const discard = async (key: string): Promise<void> => {
    book.forget(key);
    await rm(io.layout.incomingPath(key), { force: true });
  };

  return {
    uploadedBytes,
    append: newestSender((key, part) => lock.run(key, () => append(key, part))),
    complete: (key, lengthBytes) => lock.run(key, () => complete(key, lengthBytes)),
    discard: (key) => lock.run(key, () => discard(key)),
    discardStale: discardStaleUploads({ layout: io.layout, lock, discard }),
  };
};
