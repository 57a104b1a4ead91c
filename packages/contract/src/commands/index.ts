/** The closed Record over command types: a new type does not compile until each table has its row. */
import { z } from 'zod';
import { Refusal } from '../errors.ts';
import type { LimitName } from '../limits.ts';
import type { ResultStream } from '../result.ts';
import { GetFile, getFileParams, parseGetFile } from './get-file.ts';
import type { ParamMap } from './params.ts';
import { PutFile, parsePutFile, putFileParams } from './put-file.ts';
import { parseRunScript, RunScript, runScriptParams } from './run-script.ts';
import { COMMAND_TYPES, type CommandType, parseCommandType, type SentCommand } from './types.ts';

/** A command that has been read: from here on its type is its proof. */
export const Command = z.discriminatedUnion('type', [PutFile, RunScript, GetFile]);
export type Command = z.infer<typeof Command>;

type CommandSpec = {
  /** Parameter names, as documented; matched in any case. */
  readonly params: readonly string[];
  readonly parse: (params: ParamMap, where: string) => Command;
  /** Which limit bounds its time, in seconds. */
  readonly timeLimit: LimitName;
  /** What it leaves to be downloaded when it completed. */
  readonly results: readonly ResultStream[];
};

export const COMMANDS: Readonly<Record<CommandType, CommandSpec>> = {
  PutFile: { params: putFileParams, parse: parsePutFile, timeLimit: 'transfer-seconds', results: [] },
  RunScript: {
    params: runScriptParams,
    parse: parseRunScript,
    timeLimit: 'script-seconds',
    results: ['stdout', 'stderr'],
  },
  GetFile: { params: getFileParams, parse: parseGetFile, timeLimit: 'transfer-seconds', results: ['file'] },
};

/** The library file that a command names, or null. */
export const libraryFileOf = (command: Command): string | null => {
  switch (command.type) {
    case 'PutFile':
      return command.fileName;
    case 'RunScript':
      return command.scriptName;
    case 'GetFile':
      return null;
  }
};

/** Reads a sent command; throws InvalidInput or MissingRequiredParameter with a sentence that names its place. */
export const parseCommand = (sent: SentCommand, index: number): Command => {
  const type = parseCommandType(sent.type);
  if (type === null) {
    throw new Refusal(
      'InvalidInput',
      `Commands[${index}]: expected a type out of ${COMMAND_TYPES.join(', ')}, got ${JSON.stringify(sent.type)}.`,
    );
  }
  const spec = COMMANDS[type];
  const where = `Commands[${index}] (${type})`;
  const params = new Map<string, string>();
  for (const { key, value } of sent.params) {
    const known = spec.params.find((name) => name.toLowerCase() === key.toLowerCase());
    if (known === undefined) {
      throw new Refusal(
        'InvalidInput',
        `${where}: expected a parameter out of ${spec.params.join(', ')}, got ${JSON.stringify(key)}.`,
      );
    }
    if (params.has(known.toLowerCase()))
      throw new Refusal('InvalidInput', `${where}: the parameter ${known} is given twice.`);
    params.set(known.toLowerCase(), value);
  }
  return spec.parse(params, where);
};
