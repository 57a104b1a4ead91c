import type { Command } from 'commander';
import { printJson, printTable } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

export const addGroupList = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('list').description('list device groups');
  adminCommand(command, ['longarm group list --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const { groups } = await throughAdmin(parts, flags, (door) => door.call('listDeviceGroups', {}));
    if (flags.json) return printJson(parts.io, groups);
    const columns = [
      { title: 'NAME' },
      { title: 'ID', keep: true },
      { title: 'MACHINES' },
      { title: 'LIVE RESPONSE' },
      { title: 'APPROVAL' },
    ];
    const rows = groups.map((group) => [
      { text: group.name },
      { text: String(group.id) },
      { text: String(group.machines) },
      { text: group.liveResponse ? 'on' : 'off' },
      { text: group.approval ? 'on' : 'off' },
    ]);
    await printTable(parts.io, { columns, rows }, 'There are no device groups. Create one: `longarm group create`.');
  });
};
