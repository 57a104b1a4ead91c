/**
 * A result from this device to the server, raw: the core of tus 1.0 (https://tus.io/protocols/resumable-upload). Sent
 * in pieces that are hashed as they are read, so that memory stays flat and the end can be proven.
 */
import { parseSha256, type Sha256 } from '@longarm/contract/ids';
import {
  TRANSFER_HEADERS,
  TUS_VERSION,
  UPLOAD_CONTENT_TYPE,
  WHOLE_UPLOAD_BYTES,
} from '@longarm/contract/wire/protocol';
import { type Attempt, repeatUntilDone, type Stopped, transferFault } from './attempts.ts';
import { collectSent } from './give-back.ts';
import { pieceGuard } from './piece-guard.ts';
import { pieceSource, type ReadableFile, SourceFault } from './piece-source.ts';
import {
  authorised,
  isForLater,
  ON_A_CONNECTION_OF_ITS_OWN,
  SILENT_HEARTBEATS,
  type TicketHolder,
  type TransferIo,
} from './transfer-io.ts';

/** Sent between two collections, each of which takes some 6 ms of processor time; shorter uploads need none. */
const COLLECT_BYTES = 33_554_432;

export type Upload = {
  /** Path below the server's address. */
  readonly to: string;
  /** Opened for reading; its length was fixed when it was opened. */
  readonly file: ReadableFile;
  readonly sizeBytes: number;
  readonly ticket: TicketHolder;
  readonly stop: AbortSignal;
};

export type UploadEnd =
  | { readonly kind: 'uploaded'; readonly sha256: Sha256 }
  /** The server does not want it, or holds other bytes under this name. */
  | { readonly kind: 'refused'; readonly sentence: string }
  /** The file on this device could not be read to its end. */
  | { readonly kind: 'unreadable'; readonly sentence: string }
  | Stopped;

type Source = ReturnType<typeof pieceSource>;

/** Where the server is: how many bytes it has, and their hash once it has all. */
type Standing = { readonly offset: number; readonly sha256: Sha256 | null };

/** `unknown` until the server told where it is: at the start, and after a cut. */
type Phase = { kind: 'create' } | { kind: 'ask' } | { kind: 'send'; offset: number };

const standingOf = (answer: Response): Standing | null => {
  const offset = answer.headers.get(TRANSFER_HEADERS.uploadOffset) ?? '';
  if (!/^[0-9]{1,15}$/.test(offset)) return null;
  return { offset: Number(offset), sha256: parseSha256(answer.headers.get(TRANSFER_HEADERS.sha256) ?? '') };
};

/** Method and headers of a request for this upload. */
const asked = (io: TransferIo, upload: Upload, what: { method: string; headers: Record<string, string> }) => {
  const headers = { ...what.headers, [TRANSFER_HEADERS.tusVersion]: TUS_VERSION };
  const { method } = what;
  return { method, headers: authorised(io, upload.ticket, { method, path: upload.to, headers }) };
};

/** A small result comes along with the question; a server that does not take it says so by its offset. */
const createOf = async (io: TransferIo, upload: Upload, source: Source): Promise<RequestInit> => {
  const headers = { [TRANSFER_HEADERS.uploadLength]: String(upload.sizeBytes) };
  if (upload.sizeBytes > WHOLE_UPLOAD_BYTES) return asked(io, upload, { method: 'POST', headers });
  const body = await source.readAll();
  return {
    ...asked(io, upload, { method: 'POST', headers: { ...headers, 'Content-Type': UPLOAD_CONTENT_TYPE } }),
    body,
  };
};

const headOf = (io: TransferIo, upload: Upload): RequestInit => ({
  ...asked(io, upload, { method: 'HEAD', headers: {} }),
  ...ON_A_CONNECTION_OF_ITS_OWN,
});

const compare = async (source: Source, stored: Sha256): Promise<UploadEnd> => {
  const read = await source.hashOfAll();
  return read === stored
    ? { kind: 'uploaded', sha256: stored }
    : {
        kind: 'refused',
        sentence: `the server holds bytes with SHA-256 ${stored}, and ${read} was read on this device`,
      };
};

const again = (fault: string, moved = false): Attempt<UploadEnd> => ({ kind: 'again', fault, moved });

/** What an answer that is no success leads to, and where to go on. */
const onFailure = (upload: Upload, status: number, phase: Phase): { phase: Phase; came: Attempt<UploadEnd> } => {
  if (status === 401) upload.ticket.refused();
  // another length before, or an upload that the server no longer has: begin anew
  if (status === 404 && phase.kind === 'ask') return { phase: { kind: 'create' }, came: again('HTTP 404', true) };
  if (status === 409) return { phase: { kind: 'ask' }, came: again('the server is at another offset') };
  if (isForLater(status))
    return { phase: phase.kind === 'create' ? phase : { kind: 'ask' }, came: again(`HTTP ${status}`) };
  const sentence = `the server refused the result with HTTP ${status}`;
  return { phase, came: { kind: 'end', end: { kind: 'refused', sentence } } };
};

type Sent = { readonly answer: Response; readonly standing: Standing | null };

const request = async (io: TransferIo, upload: Upload, init: RequestInit): Promise<Sent> => {
  const answer = await io.request(upload.to, init);
  await answer.body?.cancel();
  return { answer, standing: answer.ok ? standingOf(answer) : null };
};

/** The server answers a question at once, or it is not there. */
const ask = async (io: TransferIo, upload: Upload, init: RequestInit): Promise<Sent> => {
  const silent = new AbortController();
  const wake = () => silent.abort(new Error('no answer came for two heartbeats'));
  const callOff = io.after(SILENT_HEARTBEATS * io.heartbeatMs(), wake);
  try {
    return await request(io, upload, { ...init, signal: AbortSignal.any([upload.stop, silent.signal]) });
  } finally {
    callOff();
  }
};

const farOf = async (io: TransferIo, upload: Upload, signal: AbortSignal): Promise<number | null> => {
  const { standing } = await request(io, upload, { ...headOf(io, upload), signal });
  return standing === null || standing.sha256 !== null ? null : standing.offset;
};

type Sending = { readonly source: Source; readonly offset: number };

const sendPiece = async (io: TransferIo, upload: Upload, { source, offset }: Sending): Promise<Sent> => {
  let heard = () => {};
  const { body, endBytes } = await source.readPiece(offset, () => heard());
  const guard = pieceGuard(io, {
    startBytes: offset,
    endBytes,
    isLast: endBytes === upload.sizeBytes,
    ask: (signal) => farOf(io, upload, signal),
  });
  heard = guard.heard;
  const place = { [TRANSFER_HEADERS.uploadOffset]: String(offset), 'Content-Type': UPLOAD_CONTENT_TYPE };
  try {
    const signal = AbortSignal.any([upload.stop, guard.signal]);
    return await request(io, upload, { ...asked(io, upload, { method: 'PATCH', headers: place }), body, signal });
  } catch (fault) {
    throw source.fault() ?? fault;
  } finally {
    guard.end();
  }
};

/** The request of this phase, and its answer. */
const tell = async (
  io: TransferIo,
  upload: Upload,
  { source, phase }: { readonly source: Source; readonly phase: Phase },
): Promise<Sent> => {
  if (phase.kind === 'send') return sendPiece(io, upload, { source, offset: phase.offset });
  return ask(io, upload, phase.kind === 'create' ? await createOf(io, upload, source) : headOf(io, upload));
};

/** One run of requests until the end or a fault; `phase` is kept over runs. */
const uploadSession = (io: TransferIo, upload: Upload, source: Source) => {
  let phase: Phase = { kind: 'create' };
  let farthest = -1;
  const step = async (): Promise<Attempt<UploadEnd>> => {
    const sent = phase;
    // until an answer says otherwise, nobody knows how much of it arrived
    if (sent.kind === 'send') phase = { kind: 'ask' };
    if (sent.kind === 'ask') source.shrinkPieces();
    const { answer, standing } = await tell(io, upload, { source, phase: sent });
    if (!answer.ok) {
      const failure = onFailure(upload, answer.status, sent);
      phase = failure.phase;
      return failure.came;
    }
    if (standing === null || standing.offset > upload.sizeBytes) return again('the answer has no usable offset');
    if (standing.sha256 !== null) return { kind: 'end', end: await compare(source, standing.sha256) };
    phase = { kind: 'send', offset: standing.offset };
    const moved = standing.offset > farthest;
    farthest = Math.max(farthest, standing.offset);
    if (sent.kind === 'send') {
      source.growPieces();
      if (Math.floor(standing.offset / COLLECT_BYTES) > Math.floor(sent.offset / COLLECT_BYTES)) collectSent();
    }
    return again('more is to be sent', moved);
  };
  /** Goes on after each answer that says where: to a question always, to a piece when it got further. */
  const run = async (): Promise<Attempt<UploadEnd>> => {
    for (;;) {
      const isQuestion = phase.kind !== 'send';
      const came = await step();
      if (came.kind === 'end' || phase.kind !== 'send' || !(isQuestion || came.moved)) return came;
    }
  };
  return async (): Promise<Attempt<UploadEnd>> => {
    const before = farthest;
    try {
      const came = await run();
      return came.kind === 'end' ? came : { ...came, moved: came.moved || farthest > before };
    } catch (fault) {
      if (fault instanceof SourceFault) throw fault;
      // it broke off, and may have got further before
      return again(transferFault(fault), farthest > before);
    }
  };
};

/** Uploads until done, refused or stopped. Never rejects for a fault of the file or the network. */
export const upload = async (io: TransferIo, order: Upload): Promise<UploadEnd> => {
  const source = pieceSource(order.file, order.sizeBytes);
  const run = uploadSession(io, order, source);
  return repeatUntilDone<UploadEnd>(io, order.stop, async () => {
    try {
      return await run();
    } catch (fault) {
      if (!(fault instanceof SourceFault)) throw fault;
      return { kind: 'end', end: { kind: 'unreadable', sentence: fault.message } };
    }
  });
};
