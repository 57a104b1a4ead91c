import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addMachinesRotateKey = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('rotate-key')
    .description('have a device follow its key by another; its id stays (on the server)')
    .argument('<machine>', 'id, DNS name or aadDeviceId');
  adminCommand(command, ['longarm machines rotate-key host1.lab.example --data /var/lib/longarm']);
  command.action(async (machine: string, flags: AdminFlags) => {
    const answer = await throughAdmin(parts, flags, (door) => door.call('wantKey', { machine }));
    if (flags.json) return printJson(parts.io, answer);
    const { machineId, isAsked } = answer;
    const when = isAsked ? 'was asked for another key' : 'is asked for another key when it connects next';
    await printLines(parts.io, [`${machineId} ${when}. The audit says when it has one (machine.key-rotated).`]);
  });
};
