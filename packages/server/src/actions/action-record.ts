/** An action as the core knows it: everything that its entity on the wire says, in the core's own types. */
import type { RequestSource } from '@longarm/contract/action';
import type { Command } from '@longarm/contract/commands/index';
import type { SentCommand } from '@longarm/contract/commands/types';
import type { ActionId, MachineId, Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { ResultStream } from '@longarm/contract/result';
import type { ActionState, CommandState } from './lifecycle.ts';

/** A result that its command has reported: durable, whole, and known by its hash. */
export type ResultRecord = {
  readonly stream: ResultStream;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** What the device called it: data only. */
  readonly name: string;
  /** Bytes that the limit cut; 0 when it is whole. */
  readonly cutBytes: number;
};

export type CommandRecord = CommandState & {
  readonly sent: SentCommand;
  readonly command: Command;
  readonly results: readonly ResultRecord[];
};

export type ActionRecord = Omit<ActionState, 'commands'> & {
  readonly id: ActionId;
  readonly tenantId: TenantId;
  readonly machineId: MachineId;
  readonly computerDnsName: string;
  readonly requestor: string;
  readonly comment: string;
  readonly source: RequestSource;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly commands: readonly CommandRecord[];
};
