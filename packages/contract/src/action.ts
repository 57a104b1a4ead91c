/**
 * The machine action: its closed sets of states and its form on the wire.
 * Source: wire contract 1.4; key order as in the mission's example, additional keys after the documented ones.
 */
import { z } from 'zod';
import { InstantText } from './instant.ts';

export const ACTION_STATUSES = ['Pending', 'InProgress', 'Succeeded', 'Failed', 'TimeOut', 'Cancelled'] as const;
export type ActionStatus = (typeof ACTION_STATUSES)[number];

export const FINAL_STATUSES = [
  'Succeeded',
  'Failed',
  'TimeOut',
  'Cancelled',
] as const satisfies readonly ActionStatus[];
export type FinalStatus = (typeof FINAL_STATUSES)[number];
export const isFinal = (status: ActionStatus): status is FinalStatus =>
  (FINAL_STATUSES as readonly ActionStatus[]).includes(status);

export const COMMAND_STATUSES = ['Created', 'Executing', 'Completed', 'Failed'] as const;
export type CommandStatus = (typeof COMMAND_STATUSES)[number];

/** Cancelling is honest about how far it got: asked for, heard by the device, and stopped there. */
export const CANCELLATION_STATES = ['Requested', 'Acknowledged', 'Effective'] as const;
export type CancellationState = (typeof CANCELLATION_STATES)[number];

/** Whether a second person has to agree, or has: on actions that need it. */
export const APPROVAL_STATES = ['Required', 'Approved', 'Denied'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** Types that the original lists; only `LiveResponse` is made here, the others may be asked for in a filter. */
export const ACTION_TYPES = [
  'LiveResponse',
  'RunAntiVirusScan',
  'Offboard',
  'CollectInvestigationPackage',
  'Isolate',
  'Unisolate',
  'StopAndQuarantineFile',
  'RestrictCodeExecution',
  'UnrestrictCodeExecution',
] as const;

export const REQUEST_SOURCES = ['PublicApi', 'Portal'] as const;
export type RequestSource = (typeof REQUEST_SOURCES)[number];

const Param = z.object({ key: z.string(), value: z.string() });

export const CommandEntity = z.object({
  index: z.int().min(0),
  startTime: InstantText.nullable(),
  endTime: InstantText.nullable(),
  commandStatus: z.enum(COMMAND_STATUSES),
  errors: z.array(z.string()),
  command: z.object({ type: z.string(), params: z.array(Param) }).describe('echoed as sent'),
  exitCode: z.int().nullable().describe('RunScript: exit code, or 128 + signal; null until it ended'),
  transfer: z
    .object({ bytes: z.int(), totalBytes: z.int() })
    .nullable()
    .describe('how far the transfer of a file is, while it runs; null otherwise'),
  results: z
    .array(z.object({ stream: z.string(), sha256: z.string(), sizeBytes: z.int() }))
    .describe('what can be downloaded, with the SHA-256 of the raw bytes'),
});
export type CommandEntity = z.infer<typeof CommandEntity>;

export const ActionEntity = z.object({
  id: z.string(),
  type: z.enum(ACTION_TYPES),
  requestor: z.string(),
  requestorComment: z.string(),
  status: z.enum(ACTION_STATUSES),
  machineId: z.string(),
  computerDnsName: z.string(),
  creationDateTimeUtc: InstantText,
  lastUpdateDateTimeUtc: InstantText,
  errorHResult: z.int(),
  commands: z.array(CommandEntity),
  title: z.string().nullable(),
  cancellationRequestor: z.string().nullable(),
  cancellationComment: z.string().nullable(),
  cancellationDateTimeUtc: InstantText.nullable(),
  scope: z.string().nullable(),
  externalId: z.string().nullable(),
  requestSource: z.enum(REQUEST_SOURCES),
  relatedFileInfo: z.null(),
  troubleshootInfo: z.string().nullable().describe('why the action ended, in a sentence'),
  cancellationState: z.enum(CANCELLATION_STATES).nullable(),
  cancellationAcknowledgedDateTimeUtc: InstantText.nullable(),
  cancellationEffectiveDateTimeUtc: InstantText.nullable(),
  approvalState: z.enum(APPROVAL_STATES).nullable().describe('null: no second person is needed'),
  approver: z.string().nullable(),
  approvalReason: z.string().nullable(),
  approvalDateTimeUtc: InstantText.nullable(),
});
export type ActionEntity = z.infer<typeof ActionEntity>;
