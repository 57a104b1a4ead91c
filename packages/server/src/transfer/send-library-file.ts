/** A library file on its way to the device whose action pinned it: raw bytes, with ranges, so that it can resume. */
import { Refusal } from '@longarm/contract/errors';
import { parseActionId, parseSha256 } from '@longarm/contract/ids';
import type { ResultStore, TransferProgress } from '../actions/ports.ts';
import type { BlobStore } from '../library/ports.ts';
import { rangedAnswer } from './ranged-answer.ts';
import type { TransferGate } from './transfer-gate.ts';

type SendIo = {
  readonly results: Pick<ResultStore, 'pinnedBy'>;
  readonly blobs: Pick<BlobStore, 'size' | 'read'>;
  readonly gate: TransferGate;
  readonly transfers: Pick<TransferProgress, 'note'>;
};

const noSuchFile = () => new Refusal('ResourceNotFound', 'This action has no such library file.');

/** The same bytes, told as they leave. */
const counted = (
  stream: ReadableStream<Uint8Array>,
  from: number,
  tell: (bytes: number) => void,
): ReadableStream<Uint8Array> => {
  let bytes = from;
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        bytes += chunk.length;
        tell(bytes);
        controller.enqueue(chunk);
      },
    }),
  );
};

export const sendLibraryFile =
  (io: SendIo) =>
  async (request: Request, place: { readonly actionId: string; readonly sha256: string }): Promise<Response> => {
    const ticket = await io.gate(request, place.actionId);
    const actionId = parseActionId(place.actionId);
    const sha256 = parseSha256(place.sha256);
    if (actionId === null || sha256 === null) throw noSuchFile();
    const index = await io.results.pinnedBy(ticket.machineId, actionId, sha256);
    const totalBytes = index === null ? null : await io.blobs.size(sha256);
    if (index === null || totalBytes === null) throw noSuchFile();
    const tell = (bytes: number) => io.transfers.note({ actionId, index }, { bytes, totalBytes });
    return rangedAnswer(request, {
      totalBytes,
      stream: (range) => counted(io.blobs.read(sha256, range), range?.start ?? 0, tell),
      etag: `"${sha256}"`,
      headers: { 'Content-Type': 'application/octet-stream' },
    });
  };
