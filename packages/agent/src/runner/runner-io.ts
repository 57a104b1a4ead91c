/** What running actions needs of the world. */
import type { EpochMs } from '@longarm/contract/instant';
import type { CommandEnd, CommandRun } from '../commands/command-run.ts';
import type { OfferMemo } from '../inbox/offer-memo.ts';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../platform/log.ts';
import type { After } from '../platform/timers.ts';
import type { LeftOver } from './left-over.ts';
import type { Tickets } from './tickets.ts';

export type RunnerIo = {
  readonly journal: Journal;
  /** Runs one command to its end. Rejects only for faults that are the agent's own. */
  readonly runCommand: (run: CommandRun) => Promise<CommandEnd>;
  readonly leftOver: LeftOver;
  /** This start of the device. */
  readonly bootId: string;
  readonly tickets: Tickets;
  /** What came with the offers. */
  readonly memo: Pick<OfferMemo, 'find' | 'isTraced' | 'forget'>;
  /** Server time, as the device knows it. */
  readonly now: () => EpochMs;
  /** Milliseconds on a clock that nobody can set. */
  readonly monotonic: () => number;
  readonly after: After;
  readonly log: Log;
};
