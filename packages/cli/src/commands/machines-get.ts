import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printMachine } from '../display/machine-view.ts';
import { printJson } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';

export const addMachinesGet = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('get')
    .description('show one machine')
    .argument('<machine>', 'id, DNS name or aadDeviceId');
  remoteCommand(command, { examples: ['longarm machines get host1.lab.example', 'longarm machines get host1 --json'] });
  command.action(async (machine: string, flags: RemoteFlags) => {
    const found = await (await connect(parts.io, flags)).getMachine(machine);
    await (flags.json ? printJson(parts.io, found) : printMachine(parts.io, found));
  });
};
