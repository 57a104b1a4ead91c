import type { MachineEntity } from '@longarm/contract/machine';
import type { Command } from 'commander';
import { readCount } from '../arguments/numbers.ts';
import { allOf, odataText } from '../arguments/odata-text.ts';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson, printTable } from '../display/print.ts';
import { formatAge } from '../display/quantities.ts';
import type { Table } from '../display/table.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & {
  readonly filter?: string;
  readonly tag?: string;
  readonly online?: true;
  readonly top?: number;
};

/** A person's search: a part of the name, or a whole address or tag. */
const searchFilter = (text: string): string => {
  const literal = odataText(text);
  return `contains(computerDnsName,${literal}) or lastIpAddress eq ${literal} or machineTags/any(t: t eq ${literal})`;
};

const stateCell = ({ enrolmentState, isOnline }: MachineEntity): Table['rows'][number][number] => {
  if (enrolmentState !== 'Approved') return { text: enrolmentState, style: 'bad' };
  return isOnline ? { text: 'online', style: 'good' } : { text: 'away', style: 'dim' };
};

const machineTable = (machines: readonly MachineEntity[], nowMs: number): Table => ({
  columns: [
    { title: 'NAME' },
    { title: 'STATE', keep: true },
    { title: 'SEEN' },
    { title: 'OS' },
    { title: 'ADDRESS' },
    { title: 'TAGS' },
    { title: 'ID' },
  ],
  rows: machines.map((machine) => [
    { text: machine.computerDnsName },
    stateCell(machine),
    { text: machine.isOnline ? 'now' : formatAge(machine.lastSeen, nowMs) },
    { text: `${machine.osPlatform} ${machine.version}`.trim() },
    { text: machine.lastIpAddress ?? '' },
    { text: machine.machineTags.join(' ') },
    { text: machine.id },
  ]),
});

export const addMachinesList = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('list', { isDefault: true })
    .description('list machines, or those that a text finds')
    .argument('[text]', 'part of a name, or a whole address or tag')
    .option('--filter <odata>', 'OData filter, as the API takes it')
    .option('--tag <tag>', 'only machines with this tag')
    .option('--online', 'only machines that are connected now')
    .option('--top <n>', 'at most so many', readCount);
  remoteCommand(command, {
    examples: [
      'longarm machines',
      'longarm machines web --online',
      'longarm machines --filter "lastSeen gt 2026-01-01Z" --json',
    ],
  });
  command.action(async (text: string | undefined, flags: Flags) => {
    const client = await connect(parts.io, flags);
    const filter = allOf([
      text === undefined ? undefined : searchFilter(text),
      flags.filter,
      flags.tag === undefined ? undefined : `machineTags/any(t: t eq ${odataText(flags.tag)})`,
      flags.online ? 'isOnline eq true' : undefined,
    ]);
    const top = flags.top === undefined ? undefined : String(flags.top);
    const machines = await Array.fromAsync(client.listMachines({ $filter: filter, $top: top }));
    if (flags.json) return printJson(parts.io, machines);
    await printTable(parts.io, machineTable(machines, parts.io.world.now()), 'No machines were found.');
  });
};
