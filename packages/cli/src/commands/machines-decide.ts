import type { EnrolmentDecision } from '@longarm/contract/machine';
import type { Command } from 'commander';
import { printJson, printLines } from '../display/print.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

type Flags = AdminFlags & { readonly reason: string };

const DESCRIPTIONS: Readonly<Record<EnrolmentDecision, string>> = {
  approve: 'let a device that waits for approval, or was rejected, work (on the server)',
  reject: 'turn away a device that waits for approval (on the server)',
  revoke: 'refuse a device for good: end what it does, close its connection, refuse its key (on the server)',
};

const DONE: Readonly<Record<EnrolmentDecision, string>> = {
  approve: 'is approved',
  reject: 'is rejected',
  revoke: 'is revoked',
};

const addDecision =
  (decision: EnrolmentDecision) =>
  (parent: Command, parts: LongarmParts): void => {
    const command = parent
      .command(decision)
      .description(DESCRIPTIONS[decision])
      .argument('<machine>', 'id, DNS name or aadDeviceId')
      .option('--reason <text>', 'why; in the audit, in the machine, and told to the device', '');
    adminCommand(command, [`longarm machines ${decision} host1.lab.example --data /var/lib/longarm`]);
    command.action(async (machine: string, flags: Flags) => {
      const request = { machine, decision, reason: flags.reason };
      const answer = await throughAdmin(parts, flags, (door) => door.call('decideEnrolment', request));
      if (flags.json) return printJson(parts.io, answer);
      const ended = decision === 'revoke' ? ` Actions ended: ${answer.endedActions}.` : '';
      await printLines(parts.io, [`${answer.machineId} ${DONE[decision]}.${ended}`]);
    });
  };

export const addMachinesApprove = addDecision('approve');
export const addMachinesReject = addDecision('reject');
export const addMachinesRevoke = addDecision('revoke');
