/** A result's bytes, wherever they lie: those of a small one with its row, those of a large one among the blobs. */
import type { Sha256 } from '@longarm/contract/ids';
import type { ResultStore } from '../actions/ports.ts';
import type { BlobStore, ByteRange } from '../library/ports.ts';
import { streamOf } from './encode/stream-of.ts';

type BytesIo = {
  readonly results: Pick<ResultStore, 'smallBlob'>;
  readonly blobs: Pick<BlobStore, 'read'>;
};

async function* piecesOf({ results, blobs }: BytesIo, sha256: Sha256, range?: ByteRange): AsyncGenerator<Uint8Array> {
  const small = await results.smallBlob(sha256);
  if (small === null) yield* blobs.read(sha256, range);
  else yield small.subarray(range?.start, range?.end);
}

/** As the blobs' own promise of `read`, but for where they lie. */
export const resultBytes = (io: BytesIo): Pick<BlobStore, 'read'> => ({
  read: (sha256, range) => streamOf(piecesOf(io, sha256, range)),
});
