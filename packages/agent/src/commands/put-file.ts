/** PutFile: the pinned library file comes into the working folder, whole, under its name, or not at all. */
import { renameSync, rmSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { libraryFilePath } from '@longarm/contract/wire/protocol';
import { syncFolder } from '../platform/durable-file.ts';
import { faultText } from '../platform/fault.ts';
import { download } from '../transfer/download.ts';
import { type CommandEnd, type CommandIo, failedWith, type HandlerRun, stoppedTransfer } from './command-run.ts';
import { hashFile } from './hash-file.ts';

type PutRun = HandlerRun<'PutFile'>;

const completed: CommandEnd = { outcome: 'Completed', errors: [], exitCode: null, results: [] };

/** What lies under the name now; a link is itself, not what it points to. */
const kindOf = async (path: string): Promise<'nothing' | 'folder' | 'other'> => {
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return 'nothing';
  return stats.isDirectory() ? 'folder' : 'other';
};

const place = (io: CommandIo, run: PutRun, from: string): CommandEnd => {
  const target = join(io.workingFolder.path, run.command.fileName);
  // first the promise to keep it, since a restart in between must not break it
  if (run.command.keep) io.workingFolder.keep(run.command.fileName, true);
  renameSync(from, target);
  io.workingFolder.refresh(run.command.fileName);
  syncFolder(io.workingFolder.path);
  if (!run.command.keep) io.workingFolder.keep(run.command.fileName, false);
  return completed;
};

const fetchAndPlace = async (io: CommandIo, run: PutRun, file: NonNullable<PutRun['ordered']['file']>) => {
  const incoming = io.folders.incomingFile(run.actionId, run.index);
  const from = libraryFilePath(run.actionId, file.sha256);
  const { ticket, stop } = run;
  try {
    const end = await run.time('fetch', () => download(io.transfer, { from, to: incoming, ...file, ticket, stop }));
    if (end.kind === 'stopped') return stoppedTransfer(run, end.fault);
    return end.kind === 'failed' ? failedWith(`${run.command.fileName}: ${end.sentence}`) : place(io, run, incoming);
  } finally {
    rmSync(incoming, { force: true });
  }
};

export const putFile = async (io: CommandIo, run: PutRun): Promise<CommandEnd> => {
  const { fileName, overwrite, keep } = run.command;
  const { file } = run.ordered;
  if (file === null) return failedWith(`${fileName}: the order names no library file`);
  const target = join(io.workingFolder.path, fileName);
  const there = await kindOf(target);
  if (there === 'folder') return failedWith(`${fileName}: a folder of this name is in the working folder`);
  try {
    if (there === 'other' && (await hashFile(target))?.sha256 === file.sha256) {
      io.workingFolder.keep(fileName, keep);
      io.workingFolder.refresh(fileName);
      return completed;
    }
    if (there === 'other' && !overwrite)
      return failedWith(`${fileName}: something else of this name is in the working folder, and Overwrite is false`);
    const lack = await io.workingFolder.makeRoom({ fileName, sizeBytes: file.sizeBytes, put: run.put });
    return lack === null ? await fetchAndPlace(io, run, file) : failedWith(`${fileName}: ${lack}`);
  } catch (fault) {
    return failedWith(`${fileName}: could not be put into the working folder: ${faultText(fault)}`);
  }
};
