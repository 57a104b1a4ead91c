/** The closed Record over command types: a new type does not compile until it has its row. */
import type { CommandType } from '@longarm/contract/commands/types';
import type { CommandEnd, CommandIo, CommandRun, HandlerRun } from './command-run.ts';
import { getFile } from './get-file.ts';
import { putFile } from './put-file.ts';
import { runScript } from './run-script.ts';

type Handlers = { readonly [Type in CommandType]: (io: CommandIo, run: HandlerRun<Type>) => Promise<CommandEnd> };

const HANDLERS: Handlers = { PutFile: putFile, RunScript: runScript, GetFile: getFile };

/** Runs one command to its end. Rejects only for faults that are the agent's own. */
export const runCommand = (io: CommandIo, run: CommandRun): Promise<CommandEnd> => {
  const { command, ...ordered } = run.ordered;
  switch (command.type) {
    case 'PutFile':
      return HANDLERS.PutFile(io, { ...run, ordered, command });
    case 'RunScript':
      return HANDLERS.RunScript(io, { ...run, ordered, command });
    case 'GetFile':
      return HANDLERS.GetFile(io, { ...run, ordered, command });
  }
};
