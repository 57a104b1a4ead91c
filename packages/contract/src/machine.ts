/** The machine entity on the wire. Source: wire contract 1.9; additional keys after the documented ones. */
import { z } from 'zod';
import { InstantText } from './instant.ts';

export const OS_PLATFORMS = ['Linux', 'Windows', 'macOS'] as const;
export type OsPlatform = (typeof OS_PLATFORMS)[number];

export const HEALTH_STATUSES = ['Active', 'Inactive'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** Whether a device may work: what an administrator said of it, or is still to say. */
export const ENROLMENT_STATES = ['Approved', 'PendingApproval', 'Rejected', 'Revoked', 'Quarantined'] as const;
export type EnrolmentState = (typeof ENROLMENT_STATES)[number];

export const ENROLMENT_DECISIONS = ['approve', 'reject', 'revoke'] as const;
export type EnrolmentDecision = (typeof ENROLMENT_DECISIONS)[number];

export const IpAddressEntity = z.object({
  ipAddress: z.string().max(64),
  macAddress: z.string().max(32).nullable(),
  type: z.string().max(64),
  operationalStatus: z.string().max(32),
});
export type IpAddressEntity = z.infer<typeof IpAddressEntity>;

export const MachineEntity = z.object({
  id: z.string(),
  mergedIntoMachineId: z.string().nullable(),
  isPotentialDuplication: z.boolean(),
  isExcluded: z.boolean(),
  exclusionReason: z.string().nullable(),
  computerDnsName: z.string(),
  firstSeen: InstantText,
  lastSeen: InstantText,
  osPlatform: z.string(),
  osVersion: z.string().nullable(),
  osProcessor: z.string(),
  version: z.string(),
  lastIpAddress: z.string().nullable(),
  lastExternalIpAddress: z.string().nullable(),
  agentVersion: z.string(),
  osBuild: z.int().nullable(),
  healthStatus: z.enum(HEALTH_STATUSES),
  deviceValue: z.string(),
  rbacGroupId: z.int(),
  rbacGroupName: z.string().nullable(),
  riskScore: z.string(),
  exposureLevel: z.string(),
  isAadJoined: z.boolean(),
  aadDeviceId: z.string().nullable(),
  machineTags: z.array(z.string()),
  onboardingStatus: z.string(),
  osArchitecture: z.string(),
  managedBy: z.string(),
  managedByStatus: z.string(),
  ipAddresses: z.array(IpAddressEntity),
  vmMetadata: z.null(),
  isOnline: z.boolean().describe('connected to this server now'),
  enrolmentState: z.enum(ENROLMENT_STATES).describe('Approved, or why the device gets nothing to do'),
  enrolmentStateReason: z.string().nullable().describe('what the administrator said about it'),
});
export type MachineEntity = z.infer<typeof MachineEntity>;
