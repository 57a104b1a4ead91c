import type { Command } from 'commander';
import { printJson, printTable } from '../display/print.ts';
import { formatAge } from '../display/quantities.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addAppList = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('list').description('list applications');
  adminCommand(command, ['longarm app list --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const { applications } = await throughAdmin(parts, flags, (door) => door.call('listApplications', {}));
    if (flags.json) return printJson(parts.io, applications);
    const columns = [
      { title: 'NAME' },
      { title: 'CLIENT ID', keep: true },
      { title: 'ROLES' },
      { title: 'DEVICE GROUPS' },
      { title: 'CREATED' },
    ];
    const rows = applications.map((app) => [
      { text: app.name },
      { text: app.clientId },
      { text: app.roles.join(' ') },
      { text: app.deviceGroups === 'all' ? 'all' : app.deviceGroups.join(', ') },
      { text: formatAge(app.createdDateTimeUtc, parts.io.world.now()) },
    ]);
    await printTable(parts.io, { columns, rows }, 'There are no applications. Create one: `longarm app create`.');
  });
};
