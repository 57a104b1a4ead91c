/** What changed between two states of an action, as lines for a person. Pure. */
import type { ActionEntity, CommandEntity, CommandStatus } from '@longarm/contract/action';
import { isFinal } from '@longarm/contract/action';
import type { Style } from '../display/paint.ts';
import { formatDuration, formatSize } from '../display/quantities.ts';
import { visible } from '../display/visible.ts';
import { commandSubject } from '../results/command-parameter.ts';

/** `passing`: true for a state that a living line shows better. */
export type ProgressLine = { readonly text: string; readonly style: Style; readonly passing: boolean };

/** By its index, as `longarm result` and the names of saved files count. */
const commandTitle = (command: CommandEntity): string =>
  `[${command.index}] ${visible(command.command.type)} ${visible(commandSubject(command))}`;

const took = (command: CommandEntity): string => {
  if (command.startTime === null || command.endTime === null) return '';
  return `, ${formatDuration(Date.parse(command.endTime) - Date.parse(command.startTime))}`;
};

const exitCode = (command: CommandEntity): string =>
  command.exitCode === null ? '' : `, exit code ${command.exitCode}`;

const STATE: Readonly<
  Record<CommandStatus, (command: CommandEntity) => Omit<ProgressLine, 'text'> & { text: string }>
> = {
  Created: () => ({ text: 'not started', style: 'dim', passing: true }),
  Executing: () => ({ text: 'running', style: 'busy', passing: true }),
  Completed: (command) => ({
    text: `completed${exitCode(command)}${took(command)}`,
    style: command.exitCode === null || command.exitCode === 0 ? 'good' : 'busy',
    passing: false,
  }),
  Failed: (command) => ({
    text: `failed${exitCode(command)}${took(command)}: ${command.errors.map(visible).join(' ') || 'no reason told'}`,
    style: 'bad',
    passing: false,
  }),
};

const commandLines = (action: ActionEntity, previous: ActionEntity | null): ProgressLine[] =>
  action.commands.flatMap((command) => {
    const before = previous?.commands[command.index]?.commandStatus ?? 'Created';
    if (before === command.commandStatus) return [];
    const state = STATE[command.commandStatus](command);
    return [{ ...state, text: `${commandTitle(command)}: ${state.text}` }];
  });

const actionText = (action: ActionEntity): string => {
  const machine = visible(action.computerDnsName);
  if (action.status === 'Pending' && action.approvalState === 'Required')
    return `Pending: waits until a second person approves it (\`longarm approve ${action.id} --reason WHY\`)`;
  if (action.status === 'Pending') return `Pending: waiting for ${machine}`;
  if (action.status === 'InProgress') return `InProgress: ${machine} has accepted it`;
  const why = action.troubleshootInfo === null ? '' : `: ${visible(action.troubleshootInfo)}`;
  return `${action.status}${why}`;
};

const actionLine = (action: ActionEntity): ProgressLine => ({
  text: actionText(action),
  style: action.status === 'Succeeded' ? 'good' : isFinal(action.status) ? 'bad' : 'busy',
  passing: !isFinal(action.status),
});

const approvalLines = (action: ActionEntity, previous: ActionEntity | null): ProgressLine[] => {
  const { approvalState: state, approver } = action;
  if (state === null || approver === null || state === previous?.approvalState) return [];
  const reason = action.approvalReason === null ? '' : `: ${visible(action.approvalReason)}`;
  return [
    { text: `${state} by ${visible(approver)}${reason}`, style: state === 'Denied' ? 'bad' : 'good', passing: false },
  ];
};

/** The lines to add when an action has become `action`; the commands' first, since they are why it did. */
export const progressLines = (action: ActionEntity, previous: ActionEntity | null): readonly ProgressLine[] => {
  const lines: ProgressLine[] = [];
  if (action.status !== previous?.status && !isFinal(action.status)) lines.push(actionLine(action));
  lines.push(...approvalLines(action, previous));
  lines.push(...commandLines(action, previous));
  if (action.status !== previous?.status && isFinal(action.status)) lines.push(actionLine(action));
  if (action.cancellationState !== null && action.cancellationState !== previous?.cancellationState) {
    lines.push({ text: `cancellation: ${action.cancellationState}`, style: 'dim', passing: false });
  }
  return lines;
};

/** How far a transfer is, in percent and bytes; empty when nothing is transferred. */
const transferText = ({ transfer }: CommandEntity): string => {
  if (transfer === null || transfer.totalBytes === 0) return '';
  const percent = Math.floor((100 * transfer.bytes) / transfer.totalBytes);
  return `, ${percent} % (${formatSize(transfer.bytes)} of ${formatSize(transfer.totalBytes)})`;
};

/** What goes on at this moment, for the living line. */
export const presentText = (action: ActionEntity): string => {
  const running = action.commands.find((command) => command.commandStatus === 'Executing');
  return running === undefined ? actionText(action) : `${commandTitle(running)}: running${transferText(running)}`;
};
