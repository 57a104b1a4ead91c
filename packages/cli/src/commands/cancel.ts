import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printAction } from '../display/action-view.ts';
import { printJson } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';

export const addCancel = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('cancel')
    .description('cancel an action; the answer says how far the device is with it')
    .argument('<action>', 'id of the action')
    .requiredOption('--comment <text>', 'why');
  remoteCommand(command, {
    examples: ['longarm cancel 5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11 --comment "wrong device"'],
  });
  command.action(async (id: string, flags: RemoteFlags & { readonly comment: string }) => {
    const action = await (await connect(parts.io, flags)).cancelAction(id, flags.comment);
    await (flags.json ? printJson(parts.io, action) : printAction(parts.io, action));
  });
};
