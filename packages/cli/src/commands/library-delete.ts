import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import type { LongarmParts } from '../world/parts.ts';

export const addLibraryDelete = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('delete')
    .description('delete a library file; actions that were requested with it keep it')
    .argument('<name>', 'name in the library');
  remoteCommand(command, { examples: ['longarm library delete triage.sh'] });
  command.action(async (name: string, flags: RemoteFlags) => {
    await (await connect(parts.io, flags)).deleteLibraryFile(name);
    if (flags.json) return printJson(parts.io, { deleted: true });
    await printLines(parts.io, [`Deleted ${visible(name)} from the library.`]);
  });
};
