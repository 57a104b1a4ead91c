import type { CommandEntity } from '@longarm/contract/action';
import { type CommandType, parseCommandType } from '@longarm/contract/commands/types';

/** The parameter that says what a command is about. */
const SUBJECT: Readonly<Record<CommandType, string>> = {
  PutFile: 'FileName',
  RunScript: 'ScriptName',
  GetFile: 'Path',
};

/** The parameter of a command as it was sent, its key in any case; empty when there is none. */
const commandParameter = (command: CommandEntity, key: string): string =>
  command.command.params.find((param) => param.key.toLowerCase() === key.toLowerCase())?.value ?? '';

/** The file name, script name or path of a command; empty for a type that this program does not know. */
export const commandSubject = (command: CommandEntity): string => {
  const type = parseCommandType(command.command.type);
  return type === null ? '' : commandParameter(command, SUBJECT[type]);
};
