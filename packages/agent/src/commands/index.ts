/** The closed Record over command types: a new type does not compile until it has its row. */
import type { CommandType } from '@longarm/contract/commands/types';
import { faultCode } from '@longarm/contract/system-fault';
import { faultText } from '../platform/fault.ts';
import { type CommandEnd, type CommandIo, type CommandRun, failedWith, type HandlerRun } from './command-run.ts';
import { getFile } from './get-file.ts';
import { putFile } from './put-file.ts';
import { runScript } from './run-script.ts';

type Handlers = { readonly [Type in CommandType]: (io: CommandIo, run: HandlerRun<Type>) => Promise<CommandEnd> };

const HANDLERS: Handlers = { PutFile: putFile, RunScript: runScript, GetFile: getFile };

const handle = async (io: CommandIo, run: CommandRun): Promise<CommandEnd> => {
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

/** Runs one command to its end, which is `Failed` where the device's disk refuses. Rejects only for faults of the agent's own. */
export const runCommand = async (io: CommandIo, run: CommandRun): Promise<CommandEnd> => {
  try {
    return await handle(io, run);
  } catch (fault) {
    if (faultCode(fault) === null) throw fault;
    return failedWith(`this device's own system refused it: ${faultText(fault)}`);
  }
};
