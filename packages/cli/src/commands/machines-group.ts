import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import { usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly none?: true };

export const addMachinesGroup = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('group')
    .description('move a machine into a device group (on the server)')
    .argument('<machine>', 'id, DNS name or aadDeviceId')
    .argument('[group]', 'name of the device group')
    .option('--none', 'out of any group');
  adminCommand(command, [
    'longarm machines group host1.lab.example Berlin --data /var/lib/longarm',
    'longarm machines group host1 --none --data ./data',
  ]);
  command.action(async (machine: string, group: string | undefined, flags: Flags) => {
    if ((group === undefined) === (flags.none === undefined))
      throw usageFault('Expected the name of a device group, or --none, got neither or both.');
    const request = { machine, group: group ?? null };
    const moved = await throughAdmin(parts, flags, (door) => door.call('moveMachine', request));
    if (flags.json) return printJson(parts.io, moved);
    const place = moved.group === null ? 'in no device group' : `in the device group ${visible(moved.group)}`;
    await printLines(parts.io, [`${moved.machineId} is ${place}.`]);
  });
};
