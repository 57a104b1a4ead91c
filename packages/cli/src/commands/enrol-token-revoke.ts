import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import { CliFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addEnrolTokenRevoke = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('revoke')
    .description('revoke an enrolment token; machines that enrolled with it stay')
    .argument('<id>', 'id, as `longarm enrol-token list` shows it');
  adminCommand(command, ['longarm enrol-token revoke 3vJ0x1Qm8a --data /var/lib/longarm']);
  command.action(async (id: string, flags: AdminFlags) => {
    const { revoked } = await throughAdmin(parts, flags, (door) => door.call('revokeEnrolToken', { id }));
    if (!revoked) {
      throw new CliFault('refused', `There is no enrolment token ${visible(id)}.`, 'See `longarm enrol-token list`.');
    }
    if (flags.json) return printJson(parts.io, { revoked });
    await printLines(parts.io, [`Revoked the enrolment token ${visible(id)}.`]);
  });
};
