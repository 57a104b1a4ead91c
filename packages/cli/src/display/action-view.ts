/** An action as a person reads it. */
import type { ActionEntity, ActionStatus } from '@longarm/contract/action';
import type { Io } from '../world/io.ts';
import type { Style } from './paint.ts';
import { printFacts, printTable } from './print.ts';
import { formatAge, formatMoment } from './quantities.ts';

export const ACTION_STYLES: Readonly<Record<ActionStatus, Style>> = {
  Pending: 'busy',
  InProgress: 'busy',
  Succeeded: 'good',
  Failed: 'bad',
  TimeOut: 'bad',
  Cancelled: 'dim',
};

const cancellation = (action: ActionEntity): string | null => {
  if (action.cancellationState === null) return null;
  const by = action.cancellationRequestor ?? 'the server';
  return `${action.cancellationState}, by ${by}: ${action.cancellationComment ?? ''}`;
};

const approval = (action: ActionEntity): string | null => {
  if (action.approvalState === null) return null;
  if (action.approver === null) return `${action.approvalState}: it waits for a second person`;
  return `${action.approvalState}, by ${action.approver}: ${action.approvalReason ?? ''}`;
};

const printCommands = (io: Io, action: ActionEntity): Promise<void> =>
  printTable(
    io,
    {
      columns: [
        { title: '#', align: 'right' },
        { title: 'TYPE' },
        { title: 'PARAMETERS' },
        { title: 'STATUS', keep: true },
        { title: 'EXIT', align: 'right' },
        { title: 'ERRORS' },
      ],
      rows: action.commands.map((command) => [
        { text: String(command.index) },
        { text: command.command.type },
        { text: command.command.params.map((param) => `${param.key}=${param.value}`).join(' ') },
        { text: command.commandStatus, style: command.commandStatus === 'Failed' ? 'bad' : 'plain' },
        { text: command.exitCode === null ? '' : String(command.exitCode) },
        { text: command.errors.join(' ') },
      ]),
    },
    'It has no commands.',
  );

export const printAction = async (io: Io, action: ActionEntity): Promise<void> => {
  await printFacts(io, [
    ['action', action.id],
    ['machine', `${action.computerDnsName} (${action.machineId})`],
    ['status', action.status],
    ['why', action.troubleshootInfo],
    ['approval', approval(action)],
    ['cancellation', cancellation(action)],
    ['requested', `${formatMoment(action.creationDateTimeUtc)} by ${action.requestor}`],
    ['comment', action.requestorComment],
    ['changed', formatAge(action.lastUpdateDateTimeUtc, io.world.now())],
  ]);
  await io.stdout.write('\n');
  await printCommands(io, action);
};
