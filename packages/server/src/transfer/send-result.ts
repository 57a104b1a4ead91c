/**
 * The signed download of a result (wire contract 2): RunScript as JSON, assembled while it is sent; GetFile wrapped
 * as gzip, with exact length and ranges. `?raw=1` gives the raw bytes, of `stream=stdout|stderr` for a script.
 */
import { Refusal } from '@longarm/contract/errors';
import { RESULT_STREAMS } from '@longarm/contract/result';
import type { ActionRecord, CommandRecord, ResultRecord } from '../actions/action-record.ts';
import { findResult } from '../actions/issue-result-link.ts';
import type { ActionStore } from '../actions/ports.ts';
import { wholeTenant } from '../audit/reach.ts';
import type { ResultLinks } from '../auth/result-link.ts';
import type { BlobStore } from '../library/ports.ts';
import { attachmentHeader } from './encode/content-disposition.ts';
import { gzipStored } from './encode/gzip-stored.ts';
import { scriptJson } from './encode/script-json.ts';
import { rangedAnswer } from './ranged-answer.ts';

/** What `exit_code` says of a script whose end nobody saw, since clients want a number. */
const UNKNOWN_EXIT_CODE = -1;

const OCTETS = { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' };

type SendIo = {
  readonly actions: Pick<ActionStore, 'get'>;
  readonly blobs: Pick<BlobStore, 'read'>;
  readonly links: Pick<ResultLinks, 'read'>;
};

const empty = (): ReadableStream<Uint8Array> => new Blob([]).stream();

const readStream = (io: SendIo, command: CommandRecord, stream: string): ReadableStream<Uint8Array> => {
  const result = command.results.find((candidate) => candidate.stream === stream);
  return result === undefined ? empty() : io.blobs.read(result.sha256);
};

const rawStream = (io: SendIo, command: CommandRecord, request: Request): Promise<Response> => {
  const asked = new URL(request.url).searchParams.get('stream');
  const result = asked === null ? command.results[0] : command.results.find((candidate) => candidate.stream === asked);
  if (result === undefined) {
    throw new Refusal(
      'ResourceNotFound',
      `This result has no stream ${asked}: expected one of ${RESULT_STREAMS.join(', ')}.`,
    );
  }
  return rangedAnswer(request, {
    totalBytes: result.sizeBytes,
    stream: (range) => io.blobs.read(result.sha256, range),
    etag: `"${result.sha256}"`,
    headers: { ...OCTETS, 'Content-Disposition': attachmentHeader(result.name) },
  });
};

const wrappedFile = (io: SendIo, file: ResultRecord, request: Request): Promise<Response> => {
  const wrapped = gzipStored({
    name: file.name,
    rawBytes: file.sizeBytes,
    readRaw: (start, end) => io.blobs.read(file.sha256, { start, end }),
  });
  return rangedAnswer(request, {
    ...wrapped,
    etag: `"${file.sha256}-gzip"`,
    headers: { ...OCTETS, 'Content-Disposition': attachmentHeader(`${file.name}.gz`) },
  });
};

const scriptResult = (io: SendIo, command: CommandRecord): Response => {
  const scriptName = command.command.type === 'RunScript' ? command.command.scriptName : '';
  const body = scriptJson({
    scriptName,
    exitCode: command.exitCode ?? UNKNOWN_EXIT_CODE,
    stdout: readStream(io, command, 'stdout'),
    stderr: readStream(io, command, 'stderr'),
  });
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };
  return new Response(body, { headers: { ...headers, 'Content-Disposition': attachmentHeader(`${scriptName}.json`) } });
};

const answer = (io: SendIo, command: CommandRecord, request: Request): Promise<Response> | Response => {
  const url = new URL(request.url);
  if (url.searchParams.get('raw') === '1') return rawStream(io, command, request);
  const file = command.results.find((result) => result.stream === 'file');
  return file === undefined ? scriptResult(io, command) : wrappedFile(io, file, request);
};

const requireAction = async (
  io: SendIo,
  request: Request,
): Promise<{ readonly action: ActionRecord; readonly index: number }> => {
  const address = io.links.read(new URL(request.url));
  if (address === 'expired')
    throw new Refusal('Forbidden', 'The link has expired. Ask GetLiveResponseResultDownloadLink for a new one.');
  if (address === 'forged' || address === null)
    throw new Refusal('Forbidden', 'The link is not one that this server made.');
  const action = await io.actions.get(wholeTenant(address.tenantId), address.actionId);
  if (action === null) throw new Refusal('ResourceNotFound', `Machine action ${address.actionId} was not found.`);
  return { action, index: address.index };
};

export const sendResult =
  (io: SendIo) =>
  async (request: Request): Promise<Response> => {
    const { action, index } = await requireAction(io, request);
    return answer(io, findResult(action, index), request);
  };
