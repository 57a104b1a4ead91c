import { ROLES, type Role } from '@longarm/contract/permission';
import { type Command, Option } from 'commander';
import { printFacts, printJson, printLines } from '../display/print.ts';
import { usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly role?: readonly Role[]; readonly group?: readonly string[] };

const roleOption = (): Option =>
  new Option('--role <role...>', 'what it may do; several, or the option again').choices(ROLES);

export const addAppCreate = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('create')
    .description('create an application: a client id and a secret that ask for tokens')
    .argument('<name>', 'name, shown as the requestor of its actions')
    .addOption(roleOption())
    .option('--group <name...>', 'device groups that it is limited to (default: all machines)');
  adminCommand(command, [
    'longarm app create triage-bot --role Machine.LiveResponse Machine.Read.All Library.Manage --data /var/lib/longarm',
    'longarm app create soar --role Machine.LiveResponse --data ./data --json > soar.json',
    'longarm app create berlin --role Machine.LiveResponse Machine.Read.All --group Berlin --data ./data',
  ]);
  command.action(async (name: string, flags: Flags) => {
    const roles = [...(flags.role ?? [])];
    if (roles.length === 0) throw usageFault(`Expected at least one --role out of ${ROLES.join(', ')}, got none.`);
    const limits = flags.group === undefined ? {} : { deviceGroups: [...flags.group] };
    const created = await throughAdmin(parts, flags, (door) =>
      door.call('createApplication', { name, roles, ...limits }),
    );
    const { tenantId, clientId, clientSecret } = created;
    if (flags.json) return printJson(parts.io, { tenantId, clientId, clientSecret });
    await printFacts(parts.io, [
      ['tenant', tenantId],
      ['client id', clientId],
      ['client secret', clientSecret],
    ]);
    await printLines(parts.io, ['The secret is shown this once. Keep it in a file that only its user can read.']);
  });
};
