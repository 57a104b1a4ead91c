/** A stored output by places of the raw stream: a cut one has a hole, and the line that says so is not part of it. */
import { cutNotice, type KeptPart, partsAroundCut } from '@longarm/contract/cut-output';
import type { ScriptStream } from '@longarm/contract/result';
import type { ResultRecord } from '../actions/action-record.ts';
import type { OutputPiece } from '../actions/output-ports.ts';
import type { BlobStore, ByteRange } from '../library/ports.ts';

/** Bytes in one piece, at most. */
const PIECE_BYTES = 16_384;

type Blobs = Pick<BlobStore, 'read'>;

const readText = async (blobs: Blobs, result: ResultRecord, range: ByteRange): Promise<string> =>
  new Response(blobs.read(result.sha256, range)).text();

/** A disk that was full kept the start alone, without the line. */
const partsOf = async (blobs: Blobs, result: ResultRecord): Promise<readonly KeptPart[]> => {
  const around = partsAroundCut(result);
  const whole = [{ start: 0, end: result.sizeBytes, storedAt: 0 }];
  if (around === null) return whole;
  const notice = cutNotice(result.cutBytes);
  const found = await readText(blobs, result, { start: around.noticeAt, end: around.noticeAt + notice.length });
  return found === notice ? [around.head, around.tail] : whole;
};

/** The pieces from `from` on, in order. Fails when the blob is no longer here. */
export async function* storedOutput(
  blobs: Blobs,
  result: ResultRecord & { readonly stream: ScriptStream },
  from: number,
): AsyncGenerator<OutputPiece, void> {
  for (const { start, end, storedAt } of await partsOf(blobs, result)) {
    let offset = Math.max(start, from);
    if (offset >= end) continue;
    const range = { start: storedAt + offset - start, end: storedAt + end - start };
    for await (const chunk of blobs.read(result.sha256, range)) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const bytes = chunk.subarray(at, at + PIECE_BYTES);
        yield { stream: result.stream, offset, bytes };
        offset += bytes.length;
      }
    }
  }
}
