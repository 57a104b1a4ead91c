/** A library file on its way to the device whose action pinned it: raw bytes, with ranges, so that it can resume. */
import { Refusal } from '@longarm/contract/errors';
import { parseActionId, parseSha256 } from '@longarm/contract/ids';
import type { ResultStore } from '../actions/ports.ts';
import type { Tickets } from '../auth/ticket.ts';
import type { BlobStore } from '../library/ports.ts';
import { requireTicket } from './bearer-ticket.ts';
import { rangedAnswer } from './ranged-answer.ts';

type SendIo = {
  readonly results: Pick<ResultStore, 'pinnedFile'>;
  readonly blobs: Pick<BlobStore, 'size' | 'read'>;
  readonly tickets: Tickets;
};

export const sendLibraryFile =
  (io: SendIo) =>
  async (request: Request, place: { readonly actionId: string; readonly sha256: string }): Promise<Response> => {
    const ticket = requireTicket(io.tickets, request, place.actionId);
    const actionId = parseActionId(place.actionId);
    const sha256 = parseSha256(place.sha256);
    const isPinned =
      actionId !== null &&
      sha256 !== null &&
      (await io.results.pinnedFile(ticket.machineId, actionId, sha256)) !== null;
    const totalBytes = isPinned ? await io.blobs.size(sha256) : null;
    if (sha256 === null || totalBytes === null)
      throw new Refusal('ResourceNotFound', 'This action has no such library file.');
    return rangedAnswer(request, {
      totalBytes,
      stream: (range) => io.blobs.read(sha256, range),
      etag: `"${sha256}"`,
      headers: { 'Content-Type': 'application/octet-stream' },
    });
  };
