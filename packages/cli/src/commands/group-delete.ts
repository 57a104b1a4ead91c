import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import { CliFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addGroupDelete = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('delete')
    .description('delete a device group that no machine is in')
    .argument('<name>', 'its name');
  adminCommand(command, ['longarm group delete Berlin --data /var/lib/longarm']);
  command.action(async (name: string, flags: AdminFlags) => {
    const { deleted } = await throughAdmin(parts, flags, (door) => door.call('deleteDeviceGroup', { name }));
    if (!deleted)
      throw new CliFault('refused', `There is no device group ${visible(name)}.`, 'See `longarm group list`.');
    if (flags.json) return printJson(parts.io, { deleted });
    await printLines(parts.io, [`Deleted the device group ${visible(name)}.`]);
  });
};
