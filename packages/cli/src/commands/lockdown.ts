import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import { formatMoment } from '../display/quantities.ts';
import { visible } from '../display/visible.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

const addOn = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('on')
    .description('accept and dispatch nothing any more, and cancel everything that waits or runs')
    .option('--reason <text>', 'why; in the audit, and told to callers', 'no reason was given');
  adminCommand(command, ['longarm lockdown on --reason "case 4711: stolen credentials" --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags & { readonly reason: string }) => {
    const answer = await throughAdmin(parts, flags, (door) => door.call('lockDown', { reason: flags.reason }));
    if (flags.json) return printJson(parts.io, answer);
    await printLines(parts.io, [`Lockdown is on. Actions cancelled: ${answer.cancelled}.`]);
  });
};

const addOff = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('off').description('lift the lockdown');
  adminCommand(command, ['longarm lockdown off --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const answer = await throughAdmin(parts, flags, (door) => door.call('liftLockdown', {}));
    if (flags.json) return printJson(parts.io, answer);
    await printLines(parts.io, [answer.lifted ? 'Lockdown is off.' : 'There was no lockdown.']);
  });
};

const addStatus = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('status').description('say whether there is a lockdown');
  adminCommand(command, ['longarm lockdown status --data /var/lib/longarm --json']);
  command.action(async (flags: AdminFlags) => {
    const { lockdown } = await throughAdmin(parts, flags, (door) => door.call('describeLockdown', {}));
    if (flags.json) return printJson(parts.io, lockdown);
    const { sinceDateTimeUtc = '', actor = '', reason = '' } = lockdown ?? {};
    const on = `Lockdown is on since ${formatMoment(sinceDateTimeUtc)}, by ${visible(actor)}: ${visible(reason)}`;
    await printLines(parts.io, [lockdown === null ? 'Lockdown is off.' : on]);
  });
};

export const LOCKDOWN_COMMANDS = [addOn, addOff, addStatus];
