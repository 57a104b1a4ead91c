import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly approval?: true; readonly liveResponse: boolean };

export const addGroupCreate = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('create')
    .description('create a device group')
    .argument('<name>', 'its name, in any case')
    .option('--approval', 'actions on its machines wait for a second person')
    .option('--no-live-response', 'no live response on its machines');
  adminCommand(command, [
    'longarm group create Berlin --data /var/lib/longarm',
    'longarm group create "Domain controllers" --approval --data ./data',
  ]);
  command.action(async (name: string, flags: Flags) => {
    const group = { name, liveResponse: flags.liveResponse, approval: flags.approval === true };
    const created = await throughAdmin(parts, flags, (door) => door.call('createDeviceGroup', group));
    if (flags.json) return printJson(parts.io, created);
    await printLines(parts.io, [`Created the device group ${visible(name)}.`]);
  });
};
