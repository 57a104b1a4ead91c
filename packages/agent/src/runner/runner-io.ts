/** What running actions needs of the world. */
import type { EpochMs } from '@longarm/contract/instant';
import type { CommandIo } from '../commands/command-run.ts';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../platform/log.ts';
import type { After } from '../platform/timers.ts';
import type { Tickets } from './tickets.ts';

export type RunnerIo = {
  readonly journal: Journal;
  readonly commands: CommandIo;
  readonly tickets: Tickets;
  /** Server time, as the device knows it. */
  readonly now: () => EpochMs;
  readonly after: After;
  readonly log: Log;
};
