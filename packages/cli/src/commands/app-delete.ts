import type { Command } from 'commander';
import { readClientId } from '../arguments/client-id.ts';
import { printJson, printLines } from '../display/print.ts';
import { CliFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addAppDelete = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('delete')
    .description('delete an application: it gets no tokens any more')
    .argument('<client-id>', 'client id, as `longarm app list` shows it');
  adminCommand(command, ['longarm app delete 7f9c3a52-1d5e-4a4e-9a54-6f1a5d0c2b11 --data /var/lib/longarm']);
  command.action(async (text: string, flags: AdminFlags) => {
    const clientId = readClientId(text);
    const { deleted } = await throughAdmin(parts, flags, (door) => door.call('deleteApplication', { clientId }));
    if (!deleted) throw new CliFault('refused', `There is no application ${clientId}.`, 'See `longarm app list`.');
    if (flags.json) return printJson(parts.io, { deleted });
    await printLines(parts.io, [`Deleted the application ${clientId}.`]);
  });
};
