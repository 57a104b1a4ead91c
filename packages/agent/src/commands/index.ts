/** The closed Record over command types: a new type does not compile until it has its row. */
import type { CommandType } from '@longarm/contract/commands/types';
import { faultText, requireSystemFault } from '../platform/fault.ts';
import type { Ruling } from '../policy/guard.ts';
import { type CommandEnd, type CommandIo, type CommandRun, failedWith, type HandlerRun } from './command-run.ts';
import { getFile } from './get-file.ts';
import { putFile } from './put-file.ts';
import { runScript } from './run-script.ts';

type Handlers = { readonly [Type in CommandType]: (io: CommandIo, run: HandlerRun<Type>) => Promise<CommandEnd> };

const HANDLERS: Handlers = { PutFile: putFile, RunScript: runScript, GetFile: getFile };

const handle = async (io: CommandIo, run: CommandRun, ruling: Ruling): Promise<CommandEnd> => {
  const { command, ...ordered } = run.ordered;
  switch (command.type) {
    case 'PutFile':
      return HANDLERS.PutFile(io, { ...run, ruling, ordered, command });
    case 'RunScript':
      return HANDLERS.RunScript(io, { ...run, ruling, ordered, command });
    case 'GetFile':
      return HANDLERS.GetFile(io, { ...run, ruling, ordered, command });
  }
};

/**
 * Runs one command to its end, if this device's policy admits it; it is `Failed` where policy or disk refuse. Rejects
 * only for faults of the agent's own.
 */
export const runCommand = async (io: CommandIo, run: CommandRun): Promise<CommandEnd> => {
  const { actionId, ordered } = run;
  const admission = io.guard.admit({ actionId, ordered });
  if ('refusal' in admission) return failedWith(admission.refusal);
  try {
    const end = await handle(io, run, admission.ruling);
    for (const { stream, sizeBytes } of end.results) if (stream === 'file') io.guard.noteCollected(actionId, sizeBytes);
    return end;
  } catch (fault) {
    requireSystemFault(fault);
    return failedWith(`this device's own system refused it: ${faultText(fault)}`);
  }
};
