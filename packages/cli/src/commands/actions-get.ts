import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printAction } from '../display/action-view.ts';
import { printJson } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';

export const addActionsGet = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('get').description('show one action').argument('<action>', 'id of the action');
  remoteCommand(command, { examples: ['longarm actions get 5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11'] });
  command.action(async (id: string, flags: RemoteFlags) => {
    const action = await (await connect(parts.io, flags)).getAction(id);
    await (flags.json ? printJson(parts.io, action) : printAction(parts.io, action));
  });
};
