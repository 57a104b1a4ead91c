/** A machine as the API shows it. */
import { formatInstant } from '@longarm/contract/instant';
import { ACTIVE_DAYS } from '@longarm/contract/limits';
import type { MachineEntity } from '@longarm/contract/machine';
import { MACHINE_CONSTANTS } from '../../machines/machine-constants.ts';
import type { MachineRecord } from '../../machines/ports.ts';
import { contextOf } from './context.ts';

const DAY_MS = 86_400_000;

export const presentMachine = (machine: MachineRecord, now: number): MachineEntity => ({
  id: machine.id,
  mergedIntoMachineId: machine.mergedInto,
  isPotentialDuplication: false,
  isExcluded: false,
  exclusionReason: null,
  computerDnsName: machine.computerDnsName,
  firstSeen: formatInstant(machine.firstSeen),
  lastSeen: formatInstant(machine.lastSeen),
  osPlatform: machine.osPlatform,
  osVersion: machine.osVersion,
  osProcessor: machine.osProcessor,
  version: machine.version,
  lastIpAddress: machine.lastIpAddress,
  lastExternalIpAddress: machine.lastExternalIpAddress,
  agentVersion: machine.agentVersion,
  osBuild: machine.osBuild,
  healthStatus: machine.lastSeen >= now - ACTIVE_DAYS * DAY_MS ? 'Active' : 'Inactive',
  deviceValue: MACHINE_CONSTANTS.deviceValue,
  rbacGroupId: machine.group?.id ?? 0,
  rbacGroupName: machine.group?.name ?? null,
  riskScore: MACHINE_CONSTANTS.riskScore,
  exposureLevel: MACHINE_CONSTANTS.exposureLevel,
  isAadJoined: machine.aadDeviceId !== null,
  aadDeviceId: machine.aadDeviceId,
  machineTags: [...machine.tags],
  onboardingStatus: MACHINE_CONSTANTS.onboardingStatus,
  osArchitecture: machine.osArchitecture,
  managedBy: MACHINE_CONSTANTS.managedBy,
  managedByStatus: MACHINE_CONSTANTS.managedByStatus,
  ipAddresses: machine.ipAddresses.map((address) => ({ ...address })),
  vmMetadata: null,
  isOnline: machine.isOnline,
  enrolmentState: machine.enrolmentState,
  enrolmentStateReason: machine.enrolmentReason,
});

export const presentMachineEntity = (machine: MachineRecord, base: string, now: number): object => ({
  '@odata.context': contextOf(base, 'Machines/$entity'),
  ...presentMachine(machine, now),
});
