/** Library scripts on this device, by hash: fetched once, checked each time, not more than so many nor so many bytes. */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryFilePath } from '@longarm/contract/wire/protocol';
import { syncFolder } from '../platform/durable-file.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { download } from '../transfer/download.ts';
import { type CommandEnd, type CommandIo, failedWith, type HandlerRun, stoppedTransfer } from './command-run.ts';
import { hasBytesNow, hashFile } from './hash-file.ts';

/** Scripts kept beside the one that is wanted; those fetched longest ago go first. */
const SCRIPTS = 64;

type ScriptRun = HandlerRun<'RunScript'>;
type PinnedFile = NonNullable<ScriptRun['ordered']['file']>;

type Fetched =
  | { readonly kind: 'there'; readonly path: string }
  | { readonly kind: 'failed'; readonly end: CommandEnd };

const failed = (end: CommandEnd): Fetched => ({ kind: 'failed', end });

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + lstatSync(join(folder, name)).size, 0);

/** Leaves room for one of `neededBytes`. */
const prune = (folder: string, neededBytes: number, limitBytes: number): void => {
  const newestFirst = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), fetchedAt: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.fetchedAt - a.fetchedAt);
  let bytes = neededBytes;
  for (const [place, { path }] of newestFirst.entries()) {
    bytes += bytesIn(path);
    if (place >= SCRIPTS || bytes > limitBytes) removeTree(path);
  }
};

/** Looked at without a turn of the event loop for each step: it is done before each run. */
const SMALL_BYTES = 65_536;

const isThere = async (path: string, file: PinnedFile): Promise<boolean> =>
  file.sizeBytes <= SMALL_BYTES ? hasBytesNow(path, file) : (await hashFile(path))?.sha256 === file.sha256;

const downloadTo = async (io: CommandIo, run: ScriptRun, order: PinnedFile & { readonly to: string }) => {
  const from = libraryFilePath(run.actionId, order.sha256);
  const end = await download(io.transfer, { from, ...order, ticket: run.ticket, stop: run.stop });
  if (end.kind === 'stopped') return stoppedTransfer(run, end.fault);
  return end.kind === 'failed' ? failedWith(`${run.command.scriptName}: ${end.sentence}`) : null;
};

/** What came with the offer, if it is what is ordered. */
const broughtBytes = (run: ScriptRun, { sha256, sizeBytes }: PinnedFile): Uint8Array | null => {
  const brought = run.brought(sha256);
  if (brought?.length !== sizeBytes) return null;
  return new Bun.CryptoHasher('sha256').update(brought).digest('hex') === sha256 ? brought : null;
};

/** Null when it is there now. */
const fetchTo = async (io: CommandIo, run: ScriptRun, file: PinnedFile): Promise<CommandEnd | null> => {
  const incoming = io.folders.incomingFile(run.actionId, run.index);
  try {
    const brought = broughtBytes(run, file);
    if (brought !== null) writeFileSync(incoming, brought, { mode: 0o600 });
    else {
      const fault = await downloadTo(io, run, { ...file, to: incoming });
      if (fault !== null) return fault;
    }
    const folder = io.folders.scriptFolder(file.sha256);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    renameSync(incoming, join(folder, run.command.scriptName));
    syncFolder(folder);
    return null;
  } finally {
    rmSync(incoming, { force: true });
  }
};

/** The script on this device, with the very bytes that were pinned: looked at again immediately before it runs. */
export const fetchedScript = async (io: CommandIo, run: ScriptRun): Promise<Fetched> => {
  const { scriptName } = run.command;
  const { file } = run.ordered;
  if (file === null) return failed(failedWith(`${scriptName}: the order names no library file`));
  const path = join(io.folders.scriptFolder(file.sha256), scriptName);
  if (await isThere(path, file)) return { kind: 'there', path };
  prune(io.folders.scripts, file.sizeBytes, io.scriptCacheBytes);
  const fault = await fetchTo(io, run, file);
  if (fault !== null) return failed(fault);
  if (await isThere(path, file)) return { kind: 'there', path };
  return failed(failedWith(`${scriptName}: was changed on this device before it could run`));
};
