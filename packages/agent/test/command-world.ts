/** The world of the commands over a temporary state folder, with a server on loopback, real processes and files. */
import { chmodSync, mkdirSync } from 'node:fs';
import type { Command } from '@longarm/contract/commands/index';
import type { EnvelopeCommand } from '@longarm/contract/wire/envelope';
import type { CommandIo, CommandRun, StopReason } from '../src/commands/command-run.ts';
import { prepareState } from '../src/commands/prepare-state.ts';
import { stateFolder } from '../src/commands/state-folder.ts';
import { openWorkingFolder } from '../src/commands/working-folder.ts';
import type { Log } from '../src/platform/log.ts';
import { thisPlatform } from '../src/platform/this-platform.ts';
import type { After } from '../src/platform/timers.ts';
import { type Guard, guard } from '../src/policy/guard.ts';
import { NO_POLICY, type Policy } from '../src/policy/policy.ts';
import type { LoopbackServer } from './loopback-server.ts';
import { MACHINE, newActionId, ordered } from './sealed-envelope.ts';

export const realAfter: After = (delayMs, wake) => {
  const timer = setTimeout(wake, delayMs);
  return () => clearTimeout(timer);
};

/** Pauses between attempts pass at once: what is waited for is the server's answer. */
const hastyAfter: After = (delayMs, wake) => realAfter(delayMs < 60_000 ? 1 : delayMs, wake);

export const silentLog = () => {};

/** Longer than any test: what is about silence sets its own. */
const HEARTBEAT_MS = 60_000;

export const transferIo = (server: { readonly url: string }) => ({
  request: (path: string, init?: RequestInit) => fetch(server.url + path, init),
  prove: ({ method, path, place, ticket }: Record<'method' | 'path' | 'place' | 'ticket', string>) =>
    [method, path, place, ticket].join(' '),
  after: hastyAfter,
  random: () => 0.5,
  log: silentLog,
  heartbeatMs: () => HEARTBEAT_MS,
});

/** Between asking and killing, in tests. */
export const GRACE_MS = 150;

const PATH_FORM = { isWindows: false, ignoresCase: false };

/** The guard of a device with this policy, or none. */
export const openGuard = (policy: Policy = NO_POLICY): Guard =>
  guard({
    source: { read: () => policy },
    form: PATH_FORM,
    bearings: () => ({ machineId: MACHINE, serverNow: 1_000, localNow: 1_000 }),
    localTime: () => ({ day: 1, minute: 720 }),
  });

type Changes = Partial<CommandIo> & { readonly workBytes?: number; readonly log?: Log; readonly bootId?: string };

export const commandWorld = (folder: string, server: LoopbackServer, changes: Changes = {}): CommandIo => {
  const { workBytes = 1_048_576, log = silentLog, bootId, ...others } = changes;
  chmodSync(folder, 0o700);
  const folders = stateFolder(folder);
  prepareState(folders);
  mkdirSync(folders.workingFolder, { recursive: true });
  const platform = thisPlatform(process.platform);
  return {
    transfer: transferIo(server),
    process: {
      platform,
      after: realAfter,
      graceMs: GRACE_MS,
      spawnFault: () => null,
      helperFile: folders.joinGroup,
    },
    platform,
    guard: openGuard(),
    folders,
    workingFolder: openWorkingFolder({
      path: folders.workingFolder,
      manifestPath: folders.workingFolderManifest,
      bootId: bootId ?? platform.bootId(),
      limitBytes: workBytes,
      localNow: Date.now,
      log,
    }),
    scriptCacheBytes: workBytes,
    inherited: { PATH: process.env.PATH ?? '' },
    which: (program, path) => Bun.which(program, { PATH: path }),
    ...others,
  };
};

export type Stopper = { readonly signal: AbortSignal; readonly stop: (reason: StopReason) => void };

export const stopper = (): Stopper & { readonly reason: () => StopReason } => {
  const controller = new AbortController();
  let why: StopReason = 'timed-out';
  return {
    signal: controller.signal,
    reason: () => why,
    stop: (reason) => {
      why = reason;
      controller.abort();
    },
  };
};

export const commandRun = (
  what: EnvelopeCommand | Command,
  changes: Partial<CommandRun> = {},
  stopped = stopper(),
): CommandRun => ({
  actionId: newActionId(),
  index: 0,
  ordered: 'command' in what ? what : ordered(what),
  put: [],
  terms: { maxGetBytes: 1_048_576, maxOutputBytes: 65_536, stopOnNonzeroExit: false },
  ticket: { current: () => 'ticket', refused: () => {} },
  brought: () => null,
  time: (_part, work) => work(),
  stop: stopped.signal,
  stopReason: stopped.reason,
  onProcess: () => {},
  ...changes,
});
