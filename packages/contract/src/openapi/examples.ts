/**
 * Examples of bodies, by endpoint; the test holds each against its schema. Invented values, but for the shape of the
 * first request and its answer, which are the public documentation's own case.
 */
import type { ActionEntity } from '../action.ts';
import type { LibraryFileEntity } from '../library-file.ts';
import type { MachineEntity } from '../machine.ts';
import type { EndpointName } from '../rest/index.ts';
import type { Direction } from './schemas.ts';

const context = (of: string): { '@odata.context': string } => ({
  '@odata.context': `https://lr.example/api/$metadata#${of}`,
});

const MACHINE_ID = '1e5bc9d7e413ddd7902c2932e418702b84d0cc07';
const ACTION_ID = '5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11';

const COMMANDS = [
  {
    type: 'RunScript',
    params: [
      { key: 'ScriptName', value: 'minidump.ps1' },
      { key: 'Args', value: 'OfficeClickToRun' },
    ],
  },
  { type: 'GetFile', params: [{ key: 'Path', value: 'C:\\windows\\TEMP\\OfficeClickToRun.dmp.zip' }] },
];

const PENDING: ActionEntity = {
  id: ACTION_ID,
  type: 'LiveResponse',
  requestor: 'triage-bot',
  requestorComment: 'Testing Live Response API',
  status: 'Pending',
  machineId: MACHINE_ID,
  computerDnsName: 'host1.lab.example',
  creationDateTimeUtc: '2026-02-04T15:36:52.7780000Z',
  lastUpdateDateTimeUtc: '2026-02-04T15:36:52.7780000Z',
  errorHResult: 0,
  commands: COMMANDS.map((command, index) => ({
    index,
    startTime: null,
    endTime: null,
    commandStatus: 'Created',
    errors: [],
    command,
    exitCode: null,
    transfer: null,
    results: [],
  })),
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
};

const CANCELLED: ActionEntity = {
  ...PENDING,
  status: 'Cancelled',
  lastUpdateDateTimeUtc: '2026-02-04T15:38:10.1140000Z',
  cancellationRequestor: 'triage-bot',
  cancellationComment: 'wrong device',
  cancellationDateTimeUtc: '2026-02-04T15:38:10.1140000Z',
  troubleshootInfo: 'Cancelled by triage-bot: wrong device.',
  cancellationState: 'Requested',
};

const APPROVED: ActionEntity = {
  ...PENDING,
  approvalState: 'Approved',
  approver: 'lead@example.org',
  approvalReason: 'case 4711, read and agreed',
  approvalDateTimeUtc: '2026-02-04T15:38:10.1140000Z',
};

const MACHINE: MachineEntity = {
  id: MACHINE_ID,
  mergedIntoMachineId: null,
  isPotentialDuplication: false,
  isExcluded: false,
  exclusionReason: null,
  computerDnsName: 'host1.lab.example',
  firstSeen: '2026-01-02T08:00:00.1000000Z',
  lastSeen: '2026-02-04T15:30:00.5000000Z',
  osPlatform: 'Linux',
  osVersion: null,
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
  ipAddresses: [{ ipAddress: '10.0.0.5', macAddress: '020000000005', type: 'Ethernet', operationalStatus: 'Up' }],
  vmMetadata: null,
  isOnline: true,
  enrolmentState: 'Approved',
  enrolmentStateReason: null,
};

const LIBRARY_FILE: LibraryFileEntity = {
  fileName: 'triage.sh',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  description: 'collects basics',
  creationTime: '2026-01-15T09:00:21.1000000Z',
  lastUpdatedTime: '2026-01-15T09:00:21.1000000Z',
  createdBy: 'triage-bot',
  hasParameters: true,
  parametersDescription: '-days N',
  sizeBytes: 4711,
  requiresApproval: false,
};

const machines = { ...context('Machines'), value: [MACHINE] };
const action = (entity: ActionEntity) => ({ ...context('MachineActions/$entity'), ...entity });
const machine = { ...context('Machines/$entity'), ...MACHINE };

export const EXAMPLES: Readonly<Partial<Record<EndpointName, Readonly<Partial<Record<Direction, unknown>>>>>> = {
  runLiveResponse: {
    request: { Commands: COMMANDS, Comment: 'Testing Live Response API' },
    answer: action(PENDING),
  },
  getResultLink: {
    answer: {
      ...context('Edm.String'),
      value: 'https://lr.example/results/5a1c0b3e?index=1&expires=1770221212&signature=…',
    },
  },
  listMachineActions: {
    answer: {
      ...context('MachineActions'),
      '@odata.count': 2,
      value: [PENDING],
      '@odata.nextLink': 'https://lr.example/api/machineactions?$count=true&$skip=1&$top=1',
    },
  },
  getMachineAction: { answer: action(PENDING) },
  cancelMachineAction: { request: { Comment: 'wrong device' }, answer: action(CANCELLED) },
  approveMachineAction: { request: { Reason: 'case 4711, read and agreed' }, answer: action(APPROVED) },
  listLibraryFiles: { answer: { ...context('LibraryFiles'), value: [LIBRARY_FILE] } },
  uploadLibraryFile: { answer: { ...context('LibraryFiles/$entity'), ...LIBRARY_FILE } },
  listMachines: { answer: machines },
  findMachinesByIp: { answer: machines },
  findMachinesByTag: { answer: machines },
  getMachine: { answer: machine },
  changeMachineTags: { request: { Value: 'lab', Action: 'Add' }, answer: machine },
  listAlerts: { answer: { ...context('Alerts'), value: [] } },
};

/** For spreading into a media type: `{ example }`, or nothing where there is none. */
export const bodyExample = (endpoint: string, direction: Direction): { readonly example?: unknown } => {
  const entry = Object.entries(EXAMPLES).find(([name]) => name === endpoint)?.[1];
  const example = entry?.[direction];
  return example === undefined ? {} : { example };
};
