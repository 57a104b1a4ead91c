/**
 * What may be filtered and sorted by, per collection: entity property → kind of its values.
 * Source: wire contract 1.5 and 1.9; the additional ones are ours.
 */

/** `enum` and `text` compare without case; `guid` and `hex` are lower-cased first; `moment` takes a date with or without time. */
export type FieldKind = 'text' | 'enum' | 'guid' | 'hex' | 'moment' | 'number' | 'boolean' | 'textList';

export const ACTION_FIELDS = {
  id: 'guid',
  status: 'enum',
  machineId: 'hex',
  type: 'enum',
  requestor: 'text',
  creationDateTimeUtc: 'moment',
  lastUpdateDateTimeUtc: 'moment',
  computerDnsName: 'text',
  requestorComment: 'text',
  requestSource: 'enum',
  approvalState: 'enum',
} as const satisfies Record<string, FieldKind>;

export const MACHINE_FIELDS = {
  id: 'hex',
  computerDnsName: 'text',
  version: 'text',
  deviceValue: 'enum',
  aadDeviceId: 'guid',
  machineTags: 'textList',
  firstSeen: 'moment',
  lastSeen: 'moment',
  exposureLevel: 'enum',
  onboardingStatus: 'enum',
  lastIpAddress: 'text',
  lastExternalIpAddress: 'text',
  healthStatus: 'enum',
  osPlatform: 'enum',
  osVersion: 'text',
  agentVersion: 'text',
  riskScore: 'enum',
  rbacGroupId: 'number',
  rbacGroupName: 'text',
  isOnline: 'boolean',
  enrolmentState: 'enum',
} as const satisfies Record<string, FieldKind>;

export type ActionField = keyof typeof ACTION_FIELDS;
export type MachineField = keyof typeof MACHINE_FIELDS;
export type FieldTable = Readonly<Record<string, FieldKind>>;
