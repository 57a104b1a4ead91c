/**
 * What a device does, simulated at the port that the real runner calls: library files come over the simulated network,
 * scripts are virtual processes, results lie on a virtual disk and leave by the real upload.
 */
import {
  type CommandEnd,
  type CommandResult,
  type CommandRun,
  failedWith,
  stoppedTransfer,
  stopSentence,
} from '@longarm/agent/commands/command-run';
import type { ActionRecord } from '@longarm/agent/journal/entries';
import { pause } from '@longarm/agent/platform/timers';
import { openedBytes } from '@longarm/agent/runner/deliver-result';
import type { LeftOver } from '@longarm/agent/runner/left-over';
import { type Attempt, repeatUntilDone } from '@longarm/agent/transfer/attempts';
import { authorised, isForLater, type TransferIo } from '@longarm/agent/transfer/transfer-io';
import { upload } from '@longarm/agent/transfer/upload';
import type { ActionId } from '@longarm/contract/ids';
import { libraryFilePath, uploadPath } from '@longarm/contract/wire/protocol';
import { sha256Of } from './blobs.ts';
import type { Life } from './life.ts';
import type { Processes, VirtualProcess } from './processes.ts';
import type { Random } from './random.ts';

/** Between asking and killing, milliseconds. */
const GRACE_MS = 5_000;

export type Spool = Map<string, Uint8Array>;

/** Of files in the spool: a power cut may take them. */
export type Unsynced = Set<string>;

export type CommandsIo = {
  readonly life: Life;
  readonly random: Random;
  readonly processes: Processes;
  readonly spool: Spool;
  readonly unsynced: Unsynced;
  readonly transfer: TransferIo;
  /** A command has begun to do what it is for. */
  readonly onBegun: (actionId: ActionId, index: number) => void;
};

export const spoolPath = (actionId: ActionId, index: number, stream: string): string =>
  `spool/${actionId}-${index}-${stream}`;

type Fetched = { readonly kind: 'there' } | { readonly kind: 'failed'; readonly sentence: string };

/** Null when the file is there; else how the command ends. */
const fetchFile = async (io: CommandsIo, run: CommandRun): Promise<CommandEnd | null> => {
  const sha256 = run.ordered.file?.sha256;
  if (sha256 === undefined) return failedWith('the order names no library file');
  const from = libraryFilePath(run.actionId, sha256);
  const attempt = async (): Promise<Attempt<Fetched>> => {
    const headers = authorised(io.transfer, run.ticket, { method: 'GET', path: from, headers: {} });
    const answer = await io.transfer.request(from, { headers, signal: run.stop });
    if (answer.status === 401) run.ticket.refused();
    if (isForLater(answer.status)) return { kind: 'again', fault: `HTTP ${answer.status}`, moved: false };
    const end: Fetched = answer.ok ? { kind: 'there' } : { kind: 'failed', sentence: `HTTP ${answer.status}` };
    return { kind: 'end', end };
  };
  const end = await repeatUntilDone(io.transfer, run.stop, attempt);
  if (end.kind === 'stopped') return stoppedTransfer(run, end.fault);
  return end.kind === 'failed' ? failedWith(end.sentence) : null;
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const endProcess = async (io: CommandsIo, process: VirtualProcess, graceMs: number): Promise<void> => {
  process.signal('SIGTERM');
  const patience = new AbortController();
  await Promise.race([process.ended, pause(io.life.after, graceMs, patience.signal)]);
  patience.abort();
  process.signal('SIGKILL');
};

/** Some outputs are short here, so that the journal keeps them; the files of the others are synced. */
const resultsOf = (io: CommandsIo, process: VirtualProcess): readonly CommandResult[] => {
  const isShort = io.random.chance(0.5);
  return (['stdout', 'stderr'] as const).map((stream) => {
    const path = spoolPath(process.actionId, process.index, stream);
    const bytes = stream === 'stdout' ? process.outputSoFar() : new Uint8Array();
    // a run that is over writes nothing any more
    if (!io.life.isOver()) {
      io.spool.set(path, bytes);
      if (isShort) io.unsynced.add(path);
    }
    const file = { path, sha256: sha256Of(bytes), sizeBytes: bytes.length, isSpool: true, isUploaded: false };
    return { ...file, stream, name: stream, cutBytes: 0, ...(isShort ? { content: bytes } : {}) };
  });
};

const judge = (run: CommandRun, process: VirtualProcess): Pick<CommandEnd, 'outcome' | 'errors' | 'exitCode'> => {
  const { exitCode = null, signal = null } = process.exit() ?? {};
  if (run.stop.aborted) return { outcome: 'Failed', errors: [stopSentence(run)], exitCode: 128 + (signal ?? 15) };
  if (signal !== null) return { outcome: 'Failed', errors: [`ended by signal ${signal}`], exitCode: 128 + signal };
  return { outcome: 'Completed', errors: [], exitCode };
};

const runScript = async (io: CommandsIo, run: CommandRun, script: string): Promise<CommandEnd> => {
  const fault = await fetchFile(io, run);
  if (fault !== null) return fault;
  if (run.stop.aborted) return failedWith(stopSentence(run));
  io.life.pass();
  const { actionId, index } = run;
  const process = io.processes.start({ actionId, index, script });
  io.onBegun(actionId, index);
  try {
    io.life.pass();
    run.onProcess({ pid: process.pid, startTime: process.startTime });
  } catch (cause) {
    if (!io.life.isOver()) await endProcess(io, process, 0);
    return failedWith(`could not be started: ${cause}`);
  }
  await Promise.race([process.ended, aborted(run.stop)]);
  if (process.isAlive()) await endProcess(io, process, GRACE_MS);
  return { ...judge(run, process), results: resultsOf(io, process) };
};

const putFile = async (io: CommandsIo, run: CommandRun): Promise<CommandEnd> => {
  io.onBegun(run.actionId, run.index);
  return (await fetchFile(io, run)) ?? { outcome: 'Completed', errors: [], exitCode: null, results: [] };
};

/** A name that would be a path out of any folder, if anybody took it for one. */
const HOSTILE_NAME = '../../../etc/passwd\u0000"; drop table actions; --';

/** One file in four goes up in several parts: it does not come along with the request that opens its upload. */
const timesOf = (random: Random): number => (random.chance(0.25) ? random.int(1_200, 5_000) : random.int(1, 30));

const getFile = async (io: CommandsIo, run: CommandRun, path: string): Promise<CommandEnd> => {
  const { actionId, index, ticket, stop } = run;
  io.onBegun(actionId, index);
  if (path === '/missing') return failedWith(`${path}: ENOENT`);
  const bytes = new TextEncoder().encode(`${path} of ${actionId} `.repeat(timesOf(io.random)));
  io.spool.set(path, bytes);
  const to = uploadPath({ actionId, index, stream: 'file' });
  const sizeBytes = bytes.length;
  const end = await upload(io.transfer, { to, file: openedBytes(bytes), sizeBytes, ticket, stop });
  if (end.kind === 'stopped') return stoppedTransfer(run, end.fault);
  if (end.kind !== 'uploaded') return failedWith(end.sentence);
  const { sha256 } = end;
  const result = { stream: 'file', path, isSpool: false, isUploaded: true, sha256, sizeBytes, cutBytes: 0 } as const;
  return { outcome: 'Completed', errors: [], exitCode: null, results: [{ ...result, name: HOSTILE_NAME }] };
};

export const runCommand =
  (io: CommandsIo) =>
  async (run: CommandRun): Promise<CommandEnd> => {
    const { command } = run.ordered;
    await io.life.sleep(io.random.int(0, 30));
    switch (command.type) {
      case 'RunScript':
        return runScript(io, run, command.scriptName);
      case 'PutFile':
        return putFile(io, run);
      case 'GetFile':
        return getFile(io, run, command.path);
    }
  };

export const leftOver = (io: CommandsIo): LeftOver => ({
  endSurvivors: async ({ actionId }: ActionRecord) => {
    await io.life.sleep(io.random.int(0, 20));
    for (const process of io.processes.running())
      if (process.actionId === actionId) await endProcess(io, process, 1_000);
  },
  partialOutput: async ({ actionId, next: index }) => {
    const results = (['stdout', 'stderr'] as const).flatMap((stream): CommandResult[] => {
      const path = spoolPath(actionId, index, stream);
      const bytes = io.spool.get(path);
      if (bytes === undefined) return [];
      // sealed, and synced by that
      io.unsynced.delete(path);
      const file = { path, sha256: sha256Of(bytes), sizeBytes: bytes.length, isSpool: true, isUploaded: false };
      return [{ ...file, stream, name: stream, cutBytes: 0 }];
    });
    return { results, errors: [] };
  },
});
