import { type Command, CommanderError } from 'commander';
import type { LongarmParts } from '../world/parts.ts';
import { SERVER_ENDED } from './server.ts';

/** Hands everything behind `bench fleet` on untouched, as `server` does: a fleet has options and help of its own. */
export const addBench = (parent: Command, parts: LongarmParts): void => {
  parent
    .command('bench')
    .description('measure a server')
    .enablePositionalOptions()
    .command('fleet')
    .description('simulated agents on a server (its own options: `longarm bench fleet --help`)')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: readonly string[]) => {
      const code = await parts.runFleet(args);
      if (code !== 0) throw new CommanderError(code, SERVER_ENDED, '');
    });
};
