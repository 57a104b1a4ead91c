import type { Client } from '@longarm/client/create-client';
import { ACTION_STATUSES, type ActionEntity, type ActionStatus } from '@longarm/contract/action';
import { parseMachineId } from '@longarm/contract/ids';
import { type Command, Option } from 'commander';
import { readCount } from '../arguments/numbers.ts';
import { allOf, odataText } from '../arguments/odata-text.ts';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { ACTION_STYLES } from '../display/action-view.ts';
import { printJson, printTable } from '../display/print.ts';
import { formatAge } from '../display/quantities.ts';
import type { Table } from '../display/table.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & {
  readonly machine?: string;
  readonly status?: ActionStatus;
  readonly filter?: string;
  readonly top: number;
};

/** The newest are what a person looks for; the rest is a `--top` away. */
const SHOWN_ROWS = 50;

const machineFilter = async (client: Client, machine: string | undefined): Promise<string | undefined> => {
  if (machine === undefined) return undefined;
  const id = parseMachineId(machine) ?? (await client.getMachine(machine)).id;
  return `machineId eq ${odataText(id)}`;
};

const actionTable = (actions: readonly ActionEntity[], nowMs: number): Table => ({
  columns: [
    { title: 'ID', keep: true },
    { title: 'STATUS', keep: true },
    { title: 'MACHINE' },
    { title: 'AGE' },
    { title: 'COMMANDS' },
    { title: 'REQUESTOR' },
    { title: 'COMMENT' },
  ],
  rows: actions.map((action) => [
    { text: action.id },
    { text: action.status, style: ACTION_STYLES[action.status] },
    { text: action.computerDnsName },
    { text: formatAge(action.creationDateTimeUtc, nowMs) },
    { text: action.commands.map((command) => command.command.type).join(' ') },
    { text: action.requestor },
    { text: action.requestorComment },
  ]),
});

export const addActionsList = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('list', { isDefault: true })
    .description('list machine actions, the newest first')
    .option('--machine <machine>', 'only those of this machine: id, DNS name or aadDeviceId')
    .addOption(new Option('--status <status>', 'only those in this state').choices(ACTION_STATUSES))
    .option('--filter <odata>', 'OData filter, as the API takes it')
    .option('--top <n>', 'at most so many', readCount, SHOWN_ROWS);
  remoteCommand(command, {
    examples: ['longarm actions', 'longarm actions --machine host1 --status Failed', 'longarm actions --top 1 --json'],
  });
  command.action(async (flags: Flags) => {
    const client = await connect(parts.io, flags);
    const status = flags.status === undefined ? undefined : `status eq ${odataText(flags.status)}`;
    const filter = allOf([await machineFilter(client, flags.machine), status, flags.filter]);
    const actions = await Array.fromAsync(client.listActions({ $filter: filter, $top: String(flags.top) }));
    if (flags.json) return printJson(parts.io, actions);
    await printTable(parts.io, actionTable(actions, parts.io.world.now()), 'No actions were found.');
  });
};
