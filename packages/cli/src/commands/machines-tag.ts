import type { TagRequest } from '@longarm/contract/rest/machines';
import { type Command, InvalidArgumentError } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import type { LongarmParts } from '../world/parts.ts';

const readChange = (text: string): TagRequest['Action'] => {
  if (text === 'add') return 'Add';
  if (text === 'remove') return 'Remove';
  throw new InvalidArgumentError('Expected add or remove.');
};

export const addMachinesTag = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('tag')
    .description('add a tag to a machine, or remove it')
    .argument('<machine>', 'id, DNS name or aadDeviceId')
    .argument('<change>', 'add or remove', readChange)
    .argument('<tag>', 'the tag');
  remoteCommand(command, {
    examples: ['longarm machines tag host1 add case-4711', 'longarm machines tag host1 remove case-4711'],
  });
  command.action(async (...given: [string, TagRequest['Action'], string, RemoteFlags]) => {
    const [machine, change, tag, flags] = given;
    const client = await connect(parts.io, flags);
    const changed = await client.changeMachineTags(machine, { Value: tag, Action: change });
    if (flags.json) return printJson(parts.io, changed);
    await printLines(parts.io, [
      `${visible(changed.computerDnsName)} has the tags: ${changed.machineTags.map(visible).join(', ') || 'none'}.`,
    ]);
  });
};
