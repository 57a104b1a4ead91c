/** What the machines room needs of the store. Each method is one atomic unit of work. */
import type { MachineId, Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { IpAddressEntity } from '@longarm/contract/machine';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import type { DeviceFacts } from '@longarm/contract/wire/facts';

export type MachineRecord = {
  readonly id: MachineId;
  readonly tenantId: TenantId;
  readonly mergedInto: MachineId | null;
  readonly computerDnsName: string;
  readonly osPlatform: string;
  readonly osVersion: string | null;
  readonly osProcessor: string;
  readonly osBuild: number | null;
  readonly osArchitecture: string;
  readonly version: string;
  readonly agentVersion: string;
  readonly aadDeviceId: string | null;
  readonly lastIpAddress: string | null;
  readonly lastExternalIpAddress: string | null;
  readonly ipAddresses: readonly IpAddressEntity[];
  readonly tags: readonly string[];
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  readonly isOnline: boolean;
};

export type EnrolOutcome =
  | { readonly kind: 'enrolled'; readonly tenantId: TenantId; readonly supersedes: MachineId | null }
  | { readonly kind: 'bad-token' | 'revoked' | 'expired' | 'used-up' | 'other-key' };

export type Enrolment = {
  readonly tokenId: string;
  readonly tokenSecretSha256: string;
  readonly machineId: MachineId;
  readonly publicKey: string;
  readonly hardwareId: Sha256;
  readonly facts: DeviceFacts;
  readonly externalIp: string | null;
  readonly now: EpochMs;
};

export type DeviceIdentity = {
  readonly tenantId: TenantId;
  readonly publicKey: string;
  readonly mergedInto: MachineId | null;
};

export type MachineStore = {
  /** Spends one use of the token; a record of the same hardware that is not connected is superseded by this one. */
  readonly enrol: (enrolment: Enrolment) => Promise<EnrolOutcome>;
  readonly identity: (machineId: MachineId) => Promise<DeviceIdentity | null>;
  /** The machine is connected by this session from now on, whatever session it had. */
  readonly connected: (connection: {
    readonly machineId: MachineId;
    readonly sessionId: string;
    readonly facts: DeviceFacts;
    readonly externalIp: string | null;
    readonly now: EpochMs;
  }) => Promise<void>;
  /** No longer, if it still was by this session. */
  readonly disconnected: (machineId: MachineId, sessionId: string, now: EpochMs) => Promise<void>;
  /** Heartbeats, in batches. */
  readonly seen: (machineIds: readonly MachineId[], now: EpochMs) => Promise<void>;
  /** At start: no connection has survived. */
  readonly disconnectAll: () => Promise<void>;
  readonly get: (tenantId: TenantId, machineId: MachineId) => Promise<MachineRecord | null>;
  /** By id, DNS name (any case) or aadDeviceId; merged records only by id. */
  readonly resolve: (tenantId: TenantId, text: string) => Promise<readonly MachineRecord[]>;
  readonly list: (
    tenantId: TenantId,
    query: CollectionQuery,
    now: EpochMs,
  ) => Promise<{
    readonly machines: readonly MachineRecord[];
    readonly count: number | null;
    readonly hasMore: boolean;
  }>;
  readonly byAddress: (
    tenantId: TenantId,
    address: string,
    window: { readonly from: EpochMs; readonly to: EpochMs },
  ) => Promise<readonly MachineRecord[]>;
  readonly byTag: (tenantId: TenantId, tag: string, startsWith: boolean) => Promise<readonly MachineRecord[]>;
  readonly changeTag: (change: {
    readonly tenantId: TenantId;
    readonly machineId: MachineId;
    readonly tag: string;
    readonly action: 'Add' | 'Remove';
    readonly actor: string;
    readonly now: EpochMs;
  }) => Promise<void>;
};
