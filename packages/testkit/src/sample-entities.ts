/** Entities in the form of the contract, with invented values, for fixtures that answer like the server. */
import type { ActionEntity, CommandEntity } from '@longarm/contract/action';
import type { LibraryFileEntity } from '@longarm/contract/library-file';
import type { MachineEntity } from '@longarm/contract/machine';

export const SAMPLE_MACHINE_ID = '1e5bc9d7e413ddd7902c2932e418702b84d0cc07';
export const SAMPLE_ACTION_ID = '5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11';
const CREATED = '2026-02-04T11:30:00.0000000Z';

/** `params` as pairs of key and value. */
export const sampleCommand = (
  index: number,
  sent: { readonly type: string; readonly params: Readonly<Record<string, string>> },
  more: Partial<CommandEntity> = {},
): CommandEntity => ({
  index,
  startTime: null,
  endTime: null,
  commandStatus: 'Created',
  errors: [],
  command: { type: sent.type, params: Object.entries(sent.params).map(([key, value]) => ({ key, value })) },
  exitCode: null,
  transfer: null,
  results: [],
  ...more,
});

export const sampleAction = (more: Partial<ActionEntity> = {}): ActionEntity => ({
  id: SAMPLE_ACTION_ID,
  type: 'LiveResponse',
  requestor: 'triage-bot',
  requestorComment: 'case 4711',
  status: 'Pending',
  machineId: SAMPLE_MACHINE_ID,
  computerDnsName: 'host1.lab.example',
  creationDateTimeUtc: CREATED,
  lastUpdateDateTimeUtc: CREATED,
  errorHResult: 0,
  commands: [sampleCommand(0, { type: 'RunScript', params: { ScriptName: 'triage.sh', Args: '-days 7' } })],
  title: null,
  cancellationRequestor: null,
  cancellationComment: null,
  cancellationDateTimeUtc: null,
  scope: null,
  externalId: null,
  requestSource: 'PublicApi',
  relatedFileInfo: null,
  troubleshootInfo: null,
  cancellationState: null,
  cancellationAcknowledgedDateTimeUtc: null,
  cancellationEffectiveDateTimeUtc: null,
  approvalState: null,
  approver: null,
  approvalReason: null,
  approvalDateTimeUtc: null,
  ...more,
});

export const sampleMachine = (more: Partial<MachineEntity> = {}): MachineEntity => ({
  id: SAMPLE_MACHINE_ID,
  mergedIntoMachineId: null,
  isPotentialDuplication: false,
  isExcluded: false,
  exclusionReason: null,
  computerDnsName: 'host1.lab.example',
  firstSeen: '2026-01-02T08:00:00.0000000Z',
  lastSeen: '2026-02-04T11:59:30.0000000Z',
  osPlatform: 'Linux',
  osVersion: '12',
  osProcessor: 'x64',
  version: '12',
  lastIpAddress: '10.0.0.5',
  lastExternalIpAddress: '203.0.113.9',
  agentVersion: '0.1.0',
  osBuild: null,
  healthStatus: 'Active',
  deviceValue: 'Normal',
  rbacGroupId: 0,
  rbacGroupName: null,
  riskScore: 'None',
  exposureLevel: 'None',
  isAadJoined: false,
  aadDeviceId: null,
  machineTags: ['lab'],
  onboardingStatus: 'Onboarded',
  osArchitecture: '64-bit',
  managedBy: 'Unknown',
  managedByStatus: 'Unknown',
  ipAddresses: [],
  vmMetadata: null,
  isOnline: true,
  enrolmentState: 'Approved',
  enrolmentStateReason: null,
  ...more,
});

export const sampleLibraryFile = (more: Partial<LibraryFileEntity> = {}): LibraryFileEntity => ({
  fileName: 'triage.sh',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  description: 'collects basics',
  creationTime: CREATED,
  lastUpdatedTime: CREATED,
  createdBy: 'triage-bot',
  hasParameters: true,
  parametersDescription: '-days N',
  sizeBytes: 1234,
  requiresApproval: false,
  ...more,
});
