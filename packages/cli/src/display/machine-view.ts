/** A machine as a person reads it. */
import type { MachineEntity } from '@longarm/contract/machine';
import type { Io } from '../world/io.ts';
import { printFacts } from './print.ts';
import { formatAge, formatMoment } from './quantities.ts';

/** Nothing where it is as it should be. */
const enrolmentOf = ({ enrolmentState, enrolmentStateReason }: MachineEntity): string | null => {
  if (enrolmentStateReason !== null) return `${enrolmentState}: ${enrolmentStateReason}`;
  return enrolmentState === 'Approved' ? null : enrolmentState;
};

export const printMachine = (io: Io, machine: MachineEntity): Promise<void> =>
  printFacts(io, [
    ['name', machine.computerDnsName],
    ['id', machine.id],
    ['state', machine.isOnline ? 'online' : `away, seen ${formatAge(machine.lastSeen, io.world.now())}`],
    ['enrolment', enrolmentOf(machine)],
    ['health', machine.healthStatus],
    ['system', `${machine.osPlatform} ${machine.version}, ${machine.osProcessor}`],
    ['agent', machine.agentVersion],
    ['address', machine.lastIpAddress],
    ['seen from', machine.lastExternalIpAddress],
    ['device group', machine.rbacGroupName],
    ['tags', machine.machineTags.join(', ') || 'none'],
    ['first seen', formatMoment(machine.firstSeen)],
    ['last seen', formatMoment(machine.lastSeen)],
    ['merged into', machine.mergedIntoMachineId],
  ]);
