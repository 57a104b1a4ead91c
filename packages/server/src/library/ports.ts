/** What the library and results need of the world, as promises. Every adapter passes the same suite. */
import type { Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Origin } from '../audit/ports.ts';

export type StoredBlob = { readonly sha256: Sha256; readonly sizeBytes: number };

/** Half-open range of raw bytes. */
export type ByteRange = { readonly start: number; readonly end: number };

/** Why bytes were not taken. `uploadedBytes`, what the upload has by now, lets the sender resume. */
export class UploadFault extends Error {
  override readonly name = 'UploadFault';
  readonly kind: 'offset' | 'too-long' | 'incomplete' | 'displaced' | 'disk-full';
  readonly uploadedBytes: number;

  constructor(kind: UploadFault['kind'], uploadedBytes: number, sentence: string) {
    super(sentence);
    this.kind = kind;
    this.uploadedBytes = uploadedBytes;
  }
}

/**
 * Content-addressed bytes. Names are made here from hashes and from keys of the form `[a-z0-9-]+`, never from
 * what a device or a caller calls a file. Memory does not grow with a blob's size.
 */
export type BlobStore = {
  /** Bytes that an unfinished upload has so far, kept over a restart; 0 when there is none. */
  readonly uploadedBytes: (key: string) => Promise<number>;
  /**
   * Appends to the unfinished upload from `offset`, which must be what it has so far (else UploadFault `offset`).
   * Never takes more than `lengthBytes` in all (`too-long`; what fits is kept). When the body breaks, what arrived
   * is kept, and the body's error is thrown. A body that is refused, or not taken to its end, is cancelled. Two
   * appends to one key never interleave: the later ends the earlier (`displaced`), since a sender has one connection
   * and the newest is the one that it still holds, and then meets the offset. Resolves to the bytes it has now.
   */
  readonly append: (
    key: string,
    part: {
      readonly offset: number;
      readonly lengthBytes: number;
      readonly body: ReadableStream<Uint8Array>;
      /** The body's chunks are nobody else's: the store may give back their memory as soon as it has their bytes. */
      readonly consumes?: boolean;
    },
  ) => Promise<number>;
  /**
   * Turns the upload into a blob: file synced, renamed to its hash, folder synced: in that order. `incomplete`
   * unless it has exactly `lengthBytes`; an upload that never began has 0. A blob that is there already is kept, and
   * counts as new for `olderThan`.
   */
  readonly complete: (key: string, lengthBytes: number) => Promise<StoredBlob>;
  /** Forgets an unfinished upload; nothing when there is none. */
  readonly discard: (key: string) => Promise<void>;
  /** A whole blob at once, at most `maxBytes` (`too-long`, and nothing is left behind). Durable when it resolves. */
  readonly put: (body: ReadableStream<Uint8Array>, maxBytes: number) => Promise<StoredBlob>;
  /** Size of a blob, or null when it is not here. */
  readonly size: (sha256: Sha256) => Promise<number | null>;
  /** Streams a blob, or the part of it, cut at its end; the stream fails when it is not here. Nothing is open unread. */
  readonly read: (sha256: Sha256, range?: ByteRange) => ReadableStream<Uint8Array>;
  /** Blobs whose last `put` or `complete` is older than the moment: candidates for `remove`. */
  readonly olderThan: (moment: number) => AsyncIterable<Sha256>;
  /** Removes a blob unless it was put again since the moment. True when it was removed. */
  readonly removeIfOlder: (sha256: Sha256, moment: number) => Promise<boolean>;
  /** Unfinished uploads untouched since the moment are removed, but for those that bytes arrive for; how many. */
  readonly discardStale: (moment: number) => Promise<number>;
  /** Bytes free for new blobs, or null where that cannot be told. */
  readonly freeBytes: () => Promise<number | null>;
};

export type LibraryFileRecord = {
  readonly name: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly description: string | null;
  readonly parametersDescription: string | null;
  readonly hasParameters: boolean;
  /** Actions that name it wait for a second person. */
  readonly requiresApproval: boolean;
  /** Author signatures of these bytes under this name, in the order in which they came; devices judge them. */
  readonly signatures: readonly string[];
  readonly createdBy: string;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
};

export type NewLibraryFile = Omit<LibraryFileRecord, 'createdAt' | 'updatedAt' | 'requiresApproval'> & {
  /** Null: as it was, or not. */
  readonly requiresApproval: boolean | null;
  readonly tenantId: TenantId;
  readonly overrideIfExists: boolean;
  readonly origin: Origin;
  readonly now: EpochMs;
};

/** Each method is one atomic unit of work. */
export type LibraryStore = {
  /**
   * Null when the name is taken and may not be overridden. The same bytes keep the signatures that they have, and get
   * the new ones; other bytes have the new ones alone. The oldest go when there are more than the contract allows.
   */
  readonly save: (file: NewLibraryFile) => Promise<LibraryFileRecord | null>;
  /** False when there is none. */
  readonly remove: (file: {
    readonly tenantId: TenantId;
    readonly name: string;
    readonly actor: string;
    readonly origin: Origin;
    readonly now: EpochMs;
  }) => Promise<boolean>;
  readonly find: (tenantId: TenantId, name: string) => Promise<LibraryFileRecord | null>;
  /** By name. */
  readonly list: (tenantId: TenantId) => Promise<readonly LibraryFileRecord[]>;
};
