/** The world of the runner over a temporary state folder: a real journal, real processes, a server on loopback. */

import { openJournal } from '../src/journal/journal.ts';
import type { Platform } from '../src/platform/platform.ts';
import type { RunnerIo } from '../src/runner/runner-io.ts';
import { ticketsOf } from '../src/runner/tickets.ts';
import { commandWorld, realAfter, silentLog } from './command-world.ts';
import type { LoopbackServer } from './loopback-server.ts';

export const runnerWorld = (
  folder: string,
  server: LoopbackServer,
  changes: { readonly platform?: Partial<Platform>; readonly renew?: () => void } = {},
): RunnerIo => {
  const plain = commandWorld(folder, server);
  const platform = { ...plain.platform, ...changes.platform };
  const commands = { ...plain, platform, process: { ...plain.process, platform } };
  const { journal } = openJournal(commands.folders.journal);
  const tickets = ticketsOf(journal, changes.renew ?? (() => {}));
  return { journal, commands, tickets, now: () => 1_000, after: realAfter, log: silentLog };
};
