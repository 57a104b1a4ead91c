/** An action as the API shows it: the documented keys in the documented order, ours after them. */
import type { ActionEntity, CommandEntity } from '@longarm/contract/action';
import { formatInstant, formatInstantOrNull } from '@longarm/contract/instant';
import type { ActionRecord, CommandRecord } from '../../actions/action-record.ts';
import type { Transferred } from '../../actions/ports.ts';
import { contextOf } from './context.ts';

export type Transfers = ReadonlyMap<number, Transferred>;

const presentCommand = (command: CommandRecord, transfers: Transfers): CommandEntity => ({
  index: command.index,
  startTime: formatInstantOrNull(command.startedAt),
  endTime: formatInstantOrNull(command.endedAt),
  commandStatus: command.status,
  errors: [...command.errors],
  command: { type: command.sent.type, params: command.sent.params.map(({ key, value }) => ({ key, value })) },
  exitCode: command.exitCode,
  transfer: command.status === 'Executing' ? (transfers.get(command.index) ?? null) : null,
  results: command.results.map(({ stream, sha256, sizeBytes }) => ({ stream, sha256, sizeBytes })),
});

/** `transfers`: how far those of its commands are that run. */
export const presentAction = (action: ActionRecord, transfers: Transfers = new Map()): ActionEntity => ({
  id: action.id,
  type: 'LiveResponse',
  requestor: action.requestor,
  requestorComment: action.comment,
  status: action.status,
  machineId: action.machineId,
  computerDnsName: action.computerDnsName,
  creationDateTimeUtc: formatInstant(action.createdAt),
  lastUpdateDateTimeUtc: formatInstant(action.updatedAt),
  errorHResult: 0,
  commands: action.commands.map((command) => presentCommand(command, transfers)),
  title: null,
  cancellationRequestor: action.cancellation?.requestor ?? null,
  cancellationComment: action.cancellation?.comment ?? null,
  cancellationDateTimeUtc: formatInstantOrNull(action.cancellation?.requestedAt ?? null),
  scope: null,
  externalId: null,
  requestSource: action.source,
  relatedFileInfo: null,
  troubleshootInfo: action.reason,
  cancellationState: action.cancellation?.state ?? null,
  cancellationAcknowledgedDateTimeUtc: formatInstantOrNull(action.cancellation?.acknowledgedAt ?? null),
  cancellationEffectiveDateTimeUtc: formatInstantOrNull(action.cancellation?.effectiveAt ?? null),
  approvalState: action.approval?.state ?? null,
  approver: action.approval?.approver ?? null,
  approvalReason: action.approval?.reason ?? null,
  approvalDateTimeUtc: formatInstantOrNull(action.approval?.decidedAt ?? null),
});

export const presentActionEntity = (action: ActionRecord, base: string, transfers?: Transfers): object => ({
  '@odata.context': contextOf(base, 'MachineActions/$entity'),
  ...presentAction(action, transfers),
});
