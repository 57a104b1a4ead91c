/** The world of the runner over a temporary state folder: a real journal, real processes, a server on loopback. */

import type { CommandIo } from '../src/commands/command-run.ts';
import { runCommand } from '../src/commands/index.ts';
import { offerMemo } from '../src/inbox/offer-memo.ts';
import { openJournal } from '../src/journal/journal.ts';
import { fileDisk } from '../src/platform/log-disk.ts';
import type { Platform } from '../src/platform/platform.ts';
import { leftOver } from '../src/runner/left-over.ts';
import type { RunnerIo } from '../src/runner/runner-io.ts';
import { ticketsOf } from '../src/runner/tickets.ts';
import { commandWorld, realAfter, silentLog } from './command-world.ts';
import type { LoopbackServer } from './loopback-server.ts';

export type RunnerWorld = RunnerIo & { readonly commands: CommandIo };

export const runnerWorld = (
  folder: string,
  server: LoopbackServer,
  changes: { readonly platform?: Partial<Platform>; readonly renew?: () => void } = {},
): RunnerWorld => {
  const plain = commandWorld(folder, server);
  const platform = { ...plain.platform, ...changes.platform };
  const commands = { ...plain, platform, process: { ...plain.process, platform } };
  const { journal } = openJournal(fileDisk(commands.folders.journal));
  const tickets = ticketsOf(journal, changes.renew ?? (() => {}));
  return {
    commands,
    journal,
    runCommand: (run) => runCommand(commands, run),
    leftOver: leftOver({ commands, log: silentLog }),
    bootId: platform.bootId(),
    tickets,
    memo: offerMemo(),
    monotonic: () => performance.now(),
    now: () => 1_000,
    after: realAfter,
    log: silentLog,
  };
};
