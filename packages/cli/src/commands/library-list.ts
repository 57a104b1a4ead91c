import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson, printTable } from '../display/print.ts';
import { formatAge, formatSize } from '../display/quantities.ts';
import type { LongarmParts } from '../world/parts.ts';

export const addLibraryList = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('list', { isDefault: true }).description('list library files');
  remoteCommand(command, { examples: ['longarm library', 'longarm library list --json'] });
  command.action(async (flags: RemoteFlags) => {
    const files = await Array.fromAsync((await connect(parts.io, flags)).listLibraryFiles());
    if (flags.json) return printJson(parts.io, files);
    const nowMs = parts.io.world.now();
    const columns = [
      { title: 'NAME', keep: true },
      { title: 'SIZE', align: 'right' },
      { title: 'CHANGED' },
      { title: 'BY' },
      { title: 'PARAMETERS' },
      { title: 'DESCRIPTION' },
      { title: 'APPROVAL' },
    ] as const;
    const rows = files.map((file) => [
      { text: file.fileName },
      { text: formatSize(file.sizeBytes) },
      { text: formatAge(file.lastUpdatedTime, nowMs) },
      { text: file.createdBy },
      { text: file.hasParameters ? (file.parametersDescription ?? 'yes') : '' },
      { text: file.description ?? '' },
      { text: file.requiresApproval ? 'needed' : '' },
    ]);
    await printTable(parts.io, { columns, rows }, 'The library is empty. Upload: `longarm library upload FILE`.');
  });
};
