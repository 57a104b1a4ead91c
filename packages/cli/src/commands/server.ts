import { type Command, CommanderError } from 'commander';
import type { LongarmParts } from '../world/parts.ts';

/** Code under which the server's own exit code leaves the parser. */
export const SERVER_ENDED = 'longarm.server';

/** Hands everything behind `server` on untouched: the server reads its own options and has its own help. */
export const addServer = (parent: Command, parts: LongarmParts): void => {
  parent
    .command('server')
    .description('run the server (its own options: `longarm server --help`)')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: readonly string[]) => {
      const code = await parts.runServer(args);
      if (code !== 0) throw new CommanderError(code, SERVER_ENDED, '');
    });
};
