import { type Command, Option } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import { usageFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Switch = 'on' | 'off';
type Flags = AdminFlags & { readonly approval?: Switch; readonly liveResponse?: Switch };

const switchOption = (name: string, description: string): Option =>
  new Option(`--${name} <on|off>`, description).choices(['on', 'off']);

export const addGroupChange = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('change')
    .description('change what goes for a device group; actions that were requested before stay as they are')
    .argument('<name>', 'its name')
    .addOption(switchOption('approval', 'actions wait for a second person'))
    .addOption(switchOption('live-response', 'live response may be requested'));
  adminCommand(command, ['longarm group change Berlin --approval on --data /var/lib/longarm']);
  command.action(async (name: string, flags: Flags) => {
    const { approval, liveResponse } = flags;
    if (approval === undefined && liveResponse === undefined)
      throw usageFault('Expected --approval or --live-response, got neither.');
    const request = {
      name,
      ...(approval === undefined ? {} : { approval: approval === 'on' }),
      ...(liveResponse === undefined ? {} : { liveResponse: liveResponse === 'on' }),
    };
    const changed = await throughAdmin(parts, flags, (door) => door.call('changeDeviceGroup', request));
    if (flags.json) return printJson(parts.io, changed);
    const words = [
      `live response ${changed.liveResponse ? 'on' : 'off'}`,
      `approval ${changed.approval ? 'on' : 'off'}`,
    ];
    await printLines(parts.io, [`The device group ${visible(name)} has ${words.join(', ')}.`]);
  });
};
