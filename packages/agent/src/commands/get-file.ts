/** GetFile: one regular file goes to the server raw, as long as it was when it was opened (semantics 13). */
import { rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { uploadPath } from '@longarm/contract/wire/protocol';
import { upload } from '../transfer/upload.ts';
import {
  type CommandEnd,
  type CommandIo,
  failedWith,
  type HandlerRun,
  stoppedTransfer,
  stopSentence,
} from './command-run.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import { spoolCopy } from './spool-copy.ts';

type GetRun = HandlerRun<'GetFile'>;

/** What is sent: the file itself, or our copy of one that has no length. */
type Sendable = {
  readonly file: FileHandle;
  readonly path: string;
  readonly sizeBytes: number;
  readonly isSpool: boolean;
};

const send = async (io: CommandIo, run: GetRun, what: Sendable & { readonly name: string }): Promise<CommandEnd> => {
  const { actionId, index, ticket, stop } = run;
  const { file, path, sizeBytes, isSpool, name } = what;
  const to = uploadPath({ actionId, index, stream: 'file' });
  const end = await upload(io.transfer, { to, file, sizeBytes, ticket, stop });
  if (end.kind === 'stopped') return stoppedTransfer(run, end.fault);
  if (end.kind !== 'uploaded') return failedWith(`${run.command.path}: ${end.sentence}`);
  const { sha256 } = end;
  const result = { stream: 'file', path, isSpool, isUploaded: true, sha256, sizeBytes, name, cutBytes: 0 } as const;
  return { outcome: 'Completed', errors: [], exitCode: null, results: [result] };
};

/** The smaller of what the order and this device's policy allow, and whose word it is. */
const mostBytes = ({ terms, ruling }: GetRun): { readonly bytes: number; readonly whose: string } =>
  ruling.maxGet.bytes < terms.maxGetBytes
    ? { bytes: ruling.maxGet.bytes, whose: ` (this device's policy, rule ${ruling.maxGet.rule})` }
    : { bytes: terms.maxGetBytes, whose: '' };

const sendCopy = async (io: CommandIo, run: GetRun, source: OpenedSource): Promise<CommandEnd> => {
  const path = io.folders.spoolFile(run.actionId, run.index, 'file');
  const { bytes: maxBytes, whose } = mostBytes(run);
  const copied = await spoolCopy(source.file, { to: path, maxBytes, stop: run.stop });
  if (run.stop.aborted) return failedWith(stopSentence(run));
  if (copied.kind === 'failed') return failedWith(`${run.command.path}: ${copied.sentence}${whose}`);
  const file = await open(path, 'r');
  try {
    return await send(io, run, { file, path, sizeBytes: copied.sizeBytes, isSpool: true, name: source.name });
  } finally {
    await file.close();
  }
};

const collect = async (io: CommandIo, run: GetRun, source: OpenedSource): Promise<CommandEnd> => {
  const { bytes, whose } = mostBytes(run);
  if (source.isMadeUp || source.sizeBytes === 0) {
    const end = await sendCopy(io, run, source);
    if (end.outcome === 'Failed') rmSync(io.folders.spoolFile(run.actionId, run.index, 'file'), { force: true });
    return end;
  }
  if (source.sizeBytes > bytes)
    return failedWith(`${run.command.path}: expected at most ${bytes} bytes, it has ${source.sizeBytes}${whose}`);
  return send(io, run, { ...source, isSpool: false });
};

/** A link is followed, and said: who reads the result shall know which file it is. */
const withLink = (end: CommandEnd, run: GetRun, source: OpenedSource): CommandEnd =>
  source.isLinked && end.outcome === 'Completed'
    ? { ...end, errors: [...end.errors, `${run.command.path}: reached through a link; collected was ${source.path}`] }
    : end;

export const getFile = async (io: CommandIo, run: GetRun): Promise<CommandEnd> => {
  const source = await openSource(run.command.path, io.workingFolder.path, run.ruling.pathFault);
  if (source.kind === 'refused') return failedWith(source.sentence);
  try {
    return withLink(await run.time('send', () => collect(io, run, source)), run, source);
  } finally {
    await source.file.close();
  }
};
