/** A signed link to one command's result, once it is there (semantics 14, 15). */
import { isFinal } from '@longarm/contract/action';
import { COMMANDS } from '@longarm/contract/commands/index';
import { Refusal } from '@longarm/contract/errors';
import type { Caller } from '../audit/ports.ts';
import type { ActionRecord, CommandRecord } from './action-record.ts';
import { findAction } from './find-action.ts';
import type { ActionStore, ResultAddress } from './ports.ts';

type LinkIo = {
  readonly actions: Pick<ActionStore, 'get'>;
  /** Makes the absolute, self-authenticating, short-lived URL. */
  readonly signLink: (address: ResultAddress, base: string) => string;
};

const notReady = (action: ActionRecord, command: CommandRecord): string => {
  if (command.status === 'Failed')
    return `Command ${command.index} failed and left no result: ${command.errors[0] ?? 'no reason was given'}.`;
  if (isFinal(action.status))
    return `Command ${command.index} was not executed, since the action ended before it (${action.status}).`;
  return `The result of command ${command.index} is not ready: the command is ${command.status}. Ask again when it is Completed.`;
};

/** The command of this index; throws ResourceNotFound. */
export const requireCommand = (action: ActionRecord, index: number): CommandRecord => {
  const command = action.commands[index];
  if (command !== undefined) return command;
  throw new Refusal(
    'ResourceNotFound',
    `Machine action ${action.id} has no command ${index}: it has ${action.commands.length}, counted from 0.`,
  );
};

/** The command and its results; throws ResourceNotFound for an index that has none ever or any more, BadRequest for not yet. */
export const findResult = (action: ActionRecord, index: number): CommandRecord => {
  const command = requireCommand(action, index);
  if (COMMANDS[command.command.type].results.length === 0) {
    throw new Refusal('ResourceNotFound', `Command ${index} is a ${command.command.type}, which has no result.`);
  }
  if (command.results.length > 0) return command;
  // a Completed command had one (semantics 14): its days are over, and waiting for it is no use
  if (command.status === 'Completed')
    throw new Refusal('ResourceNotFound', `The result of command ${index} is no longer kept.`);
  throw new Refusal('BadRequest', notReady(action, command));
};

export const issueResultLink =
  (io: LinkIo) =>
  async (
    caller: Caller,
    result: { readonly actionId: string; readonly index: number; readonly base: string },
  ): Promise<string> => {
    const action = await findAction(io)(caller, result.actionId);
    const { index } = findResult(action, result.index);
    return io.signLink({ tenantId: action.tenantId, actionId: action.id, index }, result.base);
  };
