/** Rows of an action ↔ the core's record of it. */
import type { Command } from '@longarm/contract/commands/index';
import type { SentCommand } from '@longarm/contract/commands/types';
import type { Selectable } from 'kysely';
import type { ActionRecord, CommandRecord, ResultRecord } from '../../actions/action-record.ts';
import type { ActionState, Approval, Cancellation } from '../../actions/lifecycle.ts';
import type { ActionRow, CommandRow, ResultRow } from '../schema.ts';

type Action = Omit<Selectable<ActionRow>, 'seq'>;

// what this store wrote itself after it was parsed at the door needs no second parse
const fromJson = <T>(text: string): T => JSON.parse(text) as T;

const cancellationOf = (row: Action): Cancellation | null =>
  row.cancellation_state === null || row.cancellation_requested_at === null
    ? null
    : {
        state: row.cancellation_state,
        requestor: row.cancellation_requestor ?? '',
        comment: row.cancellation_comment ?? '',
        requestedAt: row.cancellation_requested_at,
        acknowledgedAt: row.cancellation_acknowledged_at,
        effectiveAt: row.cancellation_effective_at,
      };

const approvalOf = (row: Action): Approval | null =>
  row.approval_state === null
    ? null
    : {
        state: row.approval_state,
        approver: row.approver,
        reason: row.approval_reason,
        decidedAt: row.approval_decided_at,
      };

const resultRecord = (row: ResultRow): ResultRecord | null =>
  row.sha256 === null || row.reported_at === null
    ? null
    : { stream: row.stream, sha256: row.sha256, sizeBytes: row.length_bytes, name: row.name, cutBytes: row.cut_bytes };

const commandRecord = (row: CommandRow, results: readonly ResultRow[]): CommandRecord => ({
  index: row.idx,
  status: row.status,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  errors: fromJson<string[]>(row.errors),
  exitCode: row.exit_code,
  sent: fromJson<SentCommand>(row.sent),
  command: fromJson<Command>(row.parsed),
  results: results.filter((result) => result.idx === row.idx).flatMap((result) => resultRecord(result) ?? []),
});

/** `commands` in order of index. */
export const actionRecord = (
  row: Action,
  commands: readonly CommandRow[],
  results: readonly ResultRow[],
): ActionRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  machineId: row.machine_id,
  computerDnsName: row.computer_dns_name,
  requestor: row.requestor,
  comment: row.comment,
  source: row.source,
  status: row.status,
  reason: row.reason,
  offered: row.envelope !== null,
  holdsSlot: row.holds_slot === 1,
  acceptedAt: row.accepted_at,
  cancellation: cancellationOf(row),
  approval: approvalOf(row),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  commands: commands.map((command) => commandRecord(command, results)),
});

/** The columns of an action that its state decides. */
export const stateColumns = (state: ActionState) => ({
  status: state.status,
  reason: state.reason,
  holds_slot: state.holdsSlot ? (1 as const) : (0 as const),
  accepted_at: state.acceptedAt,
  cancellation_state: state.cancellation?.state ?? null,
  cancellation_requestor: state.cancellation?.requestor ?? null,
  cancellation_comment: state.cancellation?.comment ?? null,
  cancellation_requested_at: state.cancellation?.requestedAt ?? null,
  cancellation_acknowledged_at: state.cancellation?.acknowledgedAt ?? null,
  cancellation_effective_at: state.cancellation?.effectiveAt ?? null,
  approval_state: state.approval?.state ?? null,
  approver: state.approval?.approver ?? null,
  approval_reason: state.approval?.reason ?? null,
  approval_decided_at: state.approval?.decidedAt ?? null,
});
