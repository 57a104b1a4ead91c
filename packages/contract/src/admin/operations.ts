/**
 * What the command line does to a data folder: through the local admin socket of the server that has the folder
 * open, or in its own process when none has (semantics 29). JSON over HTTP on a Unix socket of mode 0600.
 */
import { z } from 'zod';
import { AuditEntry, AuditHead } from '../audit/audit-entry.ts';
import { MachineId, TenantId } from '../ids.ts';
import { InstantText } from '../instant.ts';
import { ENROLMENT_DECISIONS, ENROLMENT_STATES } from '../machine.ts';
import { TARGETS } from '../targets.ts';
import { APPLICATION_OPERATIONS } from './application-operations.ts';
import { AUTHORITY_OPERATIONS } from './authority-operations.ts';
import { GroupName } from './group-name.ts';
import { ISSUER_OPERATIONS } from './issuer-operations.ts';
import { PERSON_OPERATIONS } from './person-operations.ts';

/** File name of the socket in the data folder. */
export const ADMIN_SOCKET_NAME = 'admin.sock';

export const EnrolTokenSummary = z.object({
  id: z.string(),
  tenantId: TenantId,
  tags: z.array(z.string()),
  group: z.string().nullable(),
  uses: z.int(),
  maxUses: z.int().nullable(),
  createdDateTimeUtc: InstantText,
  expiresDateTimeUtc: InstantText.nullable(),
  revoked: z.boolean(),
  /** Devices that enrol with it wait for an administrator's yes. */
  approval: z.boolean(),
});
export type EnrolTokenSummary = z.infer<typeof EnrolTokenSummary>;

export const DeviceGroupSummary = z.object({
  /** The machines' `rbacGroupId`. */
  id: z.int(),
  name: z.string(),
  liveResponse: z.boolean(),
  approval: z.boolean(),
  machines: z.int(),
  createdDateTimeUtc: InstantText,
});
export type DeviceGroupSummary = z.infer<typeof DeviceGroupSummary>;

export const ADMIN_OPERATIONS = {
  lockDown: {
    request: z.strictObject({ reason: z.string().min(1).max(1_000) }),
    answer: z.object({ cancelled: z.int() }),
  },
  liftLockdown: { request: z.strictObject({}), answer: z.object({ lifted: z.boolean() }) },
  describeLockdown: {
    request: z.strictObject({}),
    answer: z.object({
      lockdown: z.object({ sinceDateTimeUtc: InstantText, actor: z.string(), reason: z.string() }).nullable(),
    }),
  },
  readAudit: {
    request: z.strictObject({ after: z.int().min(0) }),
    answer: z.object({ entries: z.array(AuditEntry), head: AuditHead, isLast: z.boolean() }),
  },
  ...APPLICATION_OPERATIONS,
  ...PERSON_OPERATIONS,
  ...ISSUER_OPERATIONS,
  ...AUTHORITY_OPERATIONS,
  createEnrolToken: {
    request: z.strictObject({
      tags: z.array(z.string().min(1).max(200)).max(50),
      group: GroupName.optional(),
      maxUses: z.int().positive().nullable(),
      validHours: z.number().positive().nullable(),
      approval: z.boolean().optional(),
    }),
    answer: z.object({ id: z.string(), token: z.string() }),
  },
  listEnrolTokens: { request: z.strictObject({}), answer: z.object({ tokens: z.array(EnrolTokenSummary) }) },
  createDeviceGroup: {
    request: z.strictObject({ name: GroupName, liveResponse: z.boolean(), approval: z.boolean() }),
    answer: z.object({ id: z.int() }),
  },
  listDeviceGroups: { request: z.strictObject({}), answer: z.object({ groups: z.array(DeviceGroupSummary) }) },
  changeDeviceGroup: {
    request: z.strictObject({
      name: GroupName,
      liveResponse: z.boolean().optional(),
      approval: z.boolean().optional(),
    }),
    answer: z.object({ liveResponse: z.boolean(), approval: z.boolean() }),
  },
  deleteDeviceGroup: { request: z.strictObject({ name: GroupName }), answer: z.object({ deleted: z.boolean() }) },
  /** `machine`: an id, a DNS name or an aadDeviceId; null takes it out of any group. */
  moveMachine: {
    request: z.strictObject({ machine: z.string().min(1).max(255), group: GroupName.nullable() }),
    answer: z.object({ machineId: MachineId, group: z.string().nullable() }),
  },
  /** `machine`: an id, a DNS name or an aadDeviceId. */
  decideEnrolment: {
    request: z.strictObject({
      machine: z.string().min(1).max(255),
      decision: z.enum(ENROLMENT_DECISIONS),
      reason: z.string().max(1_000),
    }),
    answer: z.object({ machineId: MachineId, state: z.enum(ENROLMENT_STATES), endedActions: z.int() }),
  },
  /** `machine`: an id, a DNS name or an aadDeviceId. Its key is followed by another as soon as it is connected. */
  wantKey: {
    request: z.strictObject({ machine: z.string().min(1).max(255) }),
    /** `isAsked`: the device is connected and was asked now. */
    answer: z.object({ machineId: MachineId, isAsked: z.boolean() }),
  },
  /** What a device has to know to be installed from the server. */
  describeServer: {
    request: z.strictObject({}),
    answer: z.object({
      /** Without a slash at its end; null while no server runs on the folder. */
      url: z.string().nullable(),
      /** Its own certificate authority, PEM; null where it has no TLS of its own. */
      caPem: z.string().nullable(),
      /** Whose executables it hands out. */
      targets: z.array(z.enum(TARGETS)),
    }),
  },
  revokeEnrolToken: { request: z.strictObject({ id: z.string() }), answer: z.object({ revoked: z.boolean() }) },
  /** The folder was restored from a backup: envelopes are signed under a higher epoch from now on (semantics 30). */
  declareRestored: { request: z.strictObject({}), answer: z.object({ epoch: z.int() }) },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>;

export type AdminOperation = keyof typeof ADMIN_OPERATIONS;
export type AdminRequest<Name extends AdminOperation> = z.infer<(typeof ADMIN_OPERATIONS)[Name]['request']>;
export type AdminAnswer<Name extends AdminOperation> = z.infer<(typeof ADMIN_OPERATIONS)[Name]['answer']>;

/** How the command line calls an operation, whoever answers. Throws `Refusal` with a sentence. */
export type AdminDoor = {
  readonly call: <Name extends AdminOperation>(name: Name, request: AdminRequest<Name>) => Promise<AdminAnswer<Name>>;
  readonly close: () => Promise<void>;
};
