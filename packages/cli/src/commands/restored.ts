import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addRestored = (program: Command, parts: LongarmParts): void => {
  const command = program
    .command('restored')
    .description('say that a data folder was restored from a backup, so that devices take its envelopes again');
  adminCommand(command, ['longarm restored --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const answer = await throughAdmin(parts, flags, (door) => door.call('declareRestored', {}));
    if (flags.json) return printJson(parts.io, answer);
    await printLines(parts.io, [`Devices take what this server signs from now on (epoch ${answer.epoch}).`]);
  });
};
