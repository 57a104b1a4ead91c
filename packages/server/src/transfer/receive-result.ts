/**
 * A result on its way from a device: the core of tus 1.0 (https://tus.io/protocols/resumable-upload). POST opens the
 * upload with its length, HEAD tells how far it is, PATCH sends from there. The last byte makes it a blob: synced,
 * named by its hash, and only then in a row.
 */
import { CUT_NOTICE_BYTES } from '@longarm/contract/cut-output';
import { Refusal } from '@longarm/contract/errors';
import { parseActionId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Limits } from '@longarm/contract/limits';
import { RESULT_STREAMS } from '@longarm/contract/result';
import {
  TRANSFER_HEADERS,
  TUS_VERSION,
  UPLOAD_CONTENT_TYPE,
  WHOLE_UPLOAD_BYTES,
} from '@longarm/contract/wire/protocol';
import type { ResultStore, TransferProgress, UploadRecord, UploadTarget } from '../actions/ports.ts';
import { type BlobStore, UploadFault } from '../library/ports.ts';
import { type AtOnce, atOnce } from '../limits/at-once.ts';
import type { TransferGate } from './transfer-gate.ts';

const MIB = 1_048_576;
/** Until one of a device's uploads has ended, perhaps. */
const BUSY_SECONDS = 2;

type ReceiveIo = {
  readonly results: Pick<ResultStore, 'openUpload' | 'findUpload' | 'completeUpload' | 'hasStream' | 'keepWhole'>;
  readonly blobs: Pick<BlobStore, 'append' | 'complete' | 'discard' | 'uploadedBytes'>;
  readonly gate: TransferGate;
  readonly transfers: Pick<TransferProgress, 'note'>;
  readonly limits: Limits;
  readonly now: () => EpochMs;
};

type Place = { readonly actionId: string; readonly index: string; readonly stream: string };

const keyOf = (target: UploadTarget): string => `${target.actionId}-${target.index}-${target.stream}`;

const noSuchUpload = () => new Refusal('ResourceNotFound', 'This action has no such command with such a result.');

const targetOf = async (io: ReceiveIo, request: Request, place: Place): Promise<UploadTarget> => {
  const ticket = await io.gate(request, place.actionId);
  const actionId = parseActionId(place.actionId);
  const stream = RESULT_STREAMS.find((name) => name === place.stream);
  if (actionId === null || stream === undefined) throw noSuchUpload();
  return { machineId: ticket.machineId, actionId, index: Number(place.index), stream };
};

const wholeNumber = (request: Request, header: string): number => {
  const text = request.headers.get(header) ?? '';
  if (!/^[0-9]{1,15}$/.test(text))
    throw new Refusal('InvalidInput', `Expected a whole number in ${header}, got ${JSON.stringify(text)}.`);
  return Number(text);
};

const progress = (status: number, offset: number, upload: UploadRecord): Response =>
  new Response(null, {
    status,
    headers: {
      [TRANSFER_HEADERS.tusVersion]: TUS_VERSION,
      [TRANSFER_HEADERS.uploadOffset]: String(offset),
      [TRANSFER_HEADERS.uploadLength]: String(upload.lengthBytes),
      'Cache-Control': 'no-store',
      ...(upload.sha256 === null ? {} : { [TRANSFER_HEADERS.sha256]: upload.sha256 }),
    },
  });

/** The sender asks HEAD where to go on from; 507 is for later. Throws what is no fault of an upload. */
const uploadFault = (fault: unknown, upload: UploadRecord): Response => {
  if (!(fault instanceof UploadFault)) throw fault;
  const status = { offset: 409, 'too-long': 413, incomplete: 409, displaced: 409, 'disk-full': 507 }[fault.kind];
  return progress(status, fault.uploadedBytes, upload);
};

const finishWhenWhole = async (io: ReceiveIo, target: UploadTarget, upload: UploadRecord): Promise<UploadRecord> => {
  const blob = await io.blobs.complete(keyOf(target), upload.lengthBytes);
  await io.results.completeUpload({ ...target, ...blob });
  return { ...upload, sha256: blob.sha256 };
};

const maxBytes = (io: ReceiveIo, target: UploadTarget): number =>
  target.stream === 'file' ? io.limits['get-mib'] * MIB : io.limits['output-mib'] * MIB + CUT_NOTICE_BYTES;

/** The bytes come with the request that opens the upload (tus `creation-with-upload`), or there are none. */
const bringsAll = (request: Request, lengthBytes: number): boolean =>
  lengthBytes === 0 ||
  (lengthBytes <= WHOLE_UPLOAD_BYTES && request.headers.get('content-type') === UPLOAD_CONTENT_TYPE);

const bodyOf = (request: Request, lengthBytes: number): ReadableStream<Uint8Array> =>
  (lengthBytes === 0 ? null : request.body) ?? new Blob([]).stream();

/** Makes the blob before there is a row: one commit for both. Null where an upload has begun, or now has: not all came. */
const takeWhole = async (
  io: ReceiveIo,
  request: Request,
  { target, lengthBytes }: { readonly target: UploadTarget; readonly lengthBytes: number },
): Promise<Response | null> => {
  if (!(await io.results.hasStream(target))) throw noSuchUpload();
  if ((await io.results.findUpload(target)) !== null) return null;
  const key = keyOf(target);
  // what lies here without a row came with a request that broke off
  await io.blobs.discard(key);
  try {
    const body = bodyOf(request, lengthBytes);
    const offset = await io.blobs.append(key, { offset: 0, lengthBytes, body, consumes: true });
    if (offset < lengthBytes) return null;
    const upload = await io.results.keepWhole({
      ...target,
      ...(await io.blobs.complete(key, lengthBytes)),
      now: io.now(),
    });
    if (upload === null) throw noSuchUpload();
    return progress(201, upload.lengthBytes, upload);
  } catch (fault) {
    return uploadFault(fault, { lengthBytes, sha256: null });
  }
};

const create = async (io: ReceiveIo, request: Request, target: UploadTarget): Promise<Response> => {
  const lengthBytes = wholeNumber(request, TRANSFER_HEADERS.uploadLength);
  const bound = maxBytes(io, target);
  if (lengthBytes > bound) throw new Refusal('InvalidInput', `Expected at most ${bound} bytes, got ${lengthBytes}.`);
  const whole = bringsAll(request, lengthBytes) ? await takeWhole(io, request, { target, lengthBytes }) : null;
  if (whole !== null) return whole;
  const upload = await io.results.openUpload({ ...target, lengthBytes, now: io.now() });
  if (upload === null) throw noSuchUpload();
  if (upload.restarted) await io.blobs.discard(keyOf(target));
  if (upload.sha256 !== null) return progress(200, upload.lengthBytes, upload);
  if (upload.lengthBytes === 0) return append(io, request, { target, upload });
  return progress(201, await io.blobs.uploadedBytes(keyOf(target)), upload);
};

const takeBody = async (
  io: ReceiveIo,
  request: Request,
  to: { readonly target: UploadTarget; readonly upload: UploadRecord },
): Promise<number> => {
  const offset = to.upload.lengthBytes === 0 ? 0 : wholeNumber(request, TRANSFER_HEADERS.uploadOffset);
  const body = request.method === 'PATCH' ? request.body : null;
  const empty = new Blob([]).stream();
  const { lengthBytes } = to.upload;
  return io.blobs.append(keyOf(to.target), { offset, lengthBytes, body: body ?? empty, consumes: true });
};

const append = async (
  io: ReceiveIo,
  request: Request,
  to: { readonly target: UploadTarget; readonly upload: UploadRecord },
): Promise<Response> => {
  try {
    const offset = await takeBody(io, request, to);
    if (to.target.stream === 'file') io.transfers.note(to.target, { bytes: offset, totalBytes: to.upload.lengthBytes });
    const isWhole = offset === to.upload.lengthBytes;
    const upload = isWhole ? await finishWhenWhole(io, to.target, to.upload) : to.upload;
    return progress(request.method === 'POST' ? 201 : 204, offset, upload);
  } catch (fault) {
    return uploadFault(fault, to.upload);
  }
};

const patch = async (io: ReceiveIo, request: Request, target: UploadTarget): Promise<Response> => {
  if (request.headers.get('content-type') !== UPLOAD_CONTENT_TYPE)
    throw new Refusal('BadRequest', `Expected Content-Type ${UPLOAD_CONTENT_TYPE}.`);
  const upload = await io.results.findUpload(target);
  if (upload === null) throw noSuchUpload();
  return upload.sha256 === null ? append(io, request, { target, upload }) : progress(204, upload.lengthBytes, upload);
};

const head = async (io: ReceiveIo, target: UploadTarget): Promise<Response> => {
  const upload = await io.results.findUpload(target);
  if (upload === null) throw noSuchUpload();
  const offset = upload.sha256 === null ? await io.blobs.uploadedBytes(keyOf(target)) : upload.lengthBytes;
  return progress(200, offset, upload);
};

/** One device does not take all that there is of connections and files. */
const patchAmongOthers = async (io: ReceiveIo, pieces: AtOnce, asked: { request: Request; target: UploadTarget }) => {
  const { request, target } = asked;
  const answer = await pieces.run(target.machineId, () => patch(io, request, target));
  if (answer !== null) return answer;
  const sentence = `Expected at most ${io.limits['uploads-at-once']} uploads of one device at the same time, got more.`;
  throw new Refusal('TooManyRequests', sentence, { retryAfterSeconds: BUSY_SECONDS });
};

/** POST, HEAD and PATCH of one result stream; another method is null. */
export const receiveResult = (io: ReceiveIo) => {
  const pieces = atOnce(io.limits['uploads-at-once']);
  return async (request: Request, place: Place): Promise<Response | null> => {
    switch (request.method) {
      case 'POST':
        return create(io, request, await targetOf(io, request, place));
      case 'HEAD':
        return head(io, await targetOf(io, request, place));
      case 'PATCH':
        return patchAmongOthers(io, pieces, { request, target: await targetOf(io, request, place) });
      default:
        return null;
    }
  };
};
