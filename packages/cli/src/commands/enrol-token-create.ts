import type { Command } from 'commander';
import { readCount, readHours } from '../arguments/numbers.ts';
import { printFacts, printJson, printLines } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & {
  readonly tag?: readonly string[];
  readonly group?: string;
  readonly uses?: number;
  readonly hours?: number;
};

export const addEnrolTokenCreate = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('create')
    .description('create an enrolment token: what makes a device one of yours')
    .option('--tag <tag...>', 'tags of the machines that enrol with it; several, or the option again')
    .option('--group <name>', 'device group of the machines that enrol with it (default: none)')
    .option('--uses <n>', 'how many devices may enrol with it (default: any number)', readCount)
    .option('--hours <n>', 'how long it is good for (default: until it is revoked)', readHours);
  adminCommand(command, [
    'longarm enrol-token create --tag berlin laptops --uses 50 --hours 48 --data /var/lib/longarm',
    'longarm enrol-token create --uses 1 --data ./data --json',
  ]);
  command.action(async (flags: Flags) => {
    const request = {
      tags: [...(flags.tag ?? [])],
      ...(flags.group === undefined ? {} : { group: flags.group }),
      maxUses: flags.uses ?? null,
      validHours: flags.hours ?? null,
    };
    const { token, id } = await throughAdmin(parts, flags, (door) => door.call('createEnrolToken', request));
    if (flags.json) return printJson(parts.io, { token, id });
    await printFacts(parts.io, [
      ['id', id],
      ['token', token],
    ]);
    await printLines(parts.io, [
      'The token is shown this once. On the device: write it to a file, then',
      '`longarm-agent --server URL --token-file FILE --state DIR`.',
    ]);
  });
};
