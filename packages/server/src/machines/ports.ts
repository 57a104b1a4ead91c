/** What the machines room needs of the store. Each method is one atomic unit of work. */
import type { ActionId, MachineId, Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { EnrolmentDecision, EnrolmentState, IpAddressEntity } from '@longarm/contract/machine';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import type { DeviceFacts } from '@longarm/contract/wire/facts';
import type { Origin } from '../audit/ports.ts';
import type { Reach } from '../audit/reach.ts';
import type { Verdict } from './generation.ts';

/** A group of machines, with what goes for all of them. */
export type DeviceGroup = {
  readonly id: number;
  readonly name: string;
  /** False: no live response may be requested on its machines. */
  readonly liveResponse: boolean;
  /** True: an action on one of its machines waits for a second person. */
  readonly approval: boolean;
  readonly createdAt: EpochMs;
};

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
  readonly group: Pick<DeviceGroup, 'id' | 'name'> | null;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  readonly isOnline: boolean;
  readonly enrolmentState: EnrolmentState;
  readonly enrolmentReason: string | null;
};

export type EnrolOutcome =
  | { readonly kind: 'enrolled'; readonly tenantId: TenantId; readonly supersedes: MachineId | null }
  | { readonly kind: 'bad-token' | 'revoked' | 'expired' | 'used-up' | 'other-key' }
  /** The same key, of a machine that is refused. */
  | { readonly kind: 'refused-machine'; readonly state: EnrolmentState; readonly reason: string | null };

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
  readonly state: EnrolmentState;
  readonly stateReason: string | null;
  /** A copy of its state was refused once: no other hardware is let in. */
  readonly pinnedHardwareId: Sha256 | null;
  /** Of the key in force; the first one is 1. */
  readonly keyNumber: number;
  /** The key before it, which is refused; null for the first. */
  readonly formerKey: string | null;
  /** The administrator wants another key. */
  readonly isKeyWanted: boolean;
};

export type KeyWish = {
  readonly tenantId: TenantId;
  readonly machineId: MachineId;
  readonly actor: string;
  readonly now: EpochMs;
};

/** A claim that was found to be right. */
export type KeyChange = {
  readonly machineId: MachineId;
  /** The key that certified it, as it was in force then. */
  readonly formerKey: string;
  readonly publicKey: string;
  readonly number: number;
  readonly externalIp: string | null;
  readonly sessionId: string;
  readonly now: EpochMs;
};

export type KeyOutcome =
  | { readonly kind: 'renewed' }
  /** There is no such machine, or it was replaced. */
  | { readonly kind: 'unknown' }
  /** Another key is in force by now. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly state: EnrolmentState };

export type Connection = {
  readonly machineId: MachineId;
  readonly sessionId: string;
  readonly facts: DeviceFacts;
  readonly externalIp: string | null;
  /** Null from agents that do not tell. */
  readonly hardwareId: Sha256 | null;
  /** Hashes: what the device showed, and what it is handed. */
  readonly generation: { readonly shown: string | null; readonly handedOut: string };
  /** Fingerprints of the authorities that it believes; null from agents that do not tell. */
  readonly trusted: readonly Sha256[] | null;
  readonly now: EpochMs;
};

export type ConnectOutcome = {
  readonly state: EnrolmentState;
  readonly verdict: Verdict;
  /** Why it is not let in: it is a copy. */
  readonly refusal: string | null;
};

export type EnrolmentChange = {
  readonly tenantId: TenantId;
  readonly machineId: MachineId;
  readonly decision: EnrolmentDecision;
  readonly reason: string;
  readonly actor: string;
  readonly now: EpochMs;
};

export type EnrolmentOutcome =
  | { readonly kind: 'changed'; readonly state: EnrolmentState; readonly ended: readonly ActionId[] }
  /** The decision does not apply to a machine in this state. */
  | { readonly kind: 'refused'; readonly state: EnrolmentState };

/** Machines that connect by the server's own authority and are not known to believe one of them. */
export type Unaware = {
  readonly count: number;
  /** Of the machines that there are: those that are refused, or were replaced, do not count. */
  readonly of: number;
  /** At most a thousand; who was seen last comes first. */
  readonly machines: readonly {
    readonly id: MachineId;
    readonly name: string;
    readonly lastSeen: EpochMs;
    readonly isOnline: boolean;
    /** False for an agent that does not understand a new authority, or has not connected yet. */
    readonly tells: boolean;
  }[];
};

export type MachineStore = {
  /** Spends one use of the token; a record of the same hardware that is not connected is superseded by this one. */
  readonly enrol: (enrolment: Enrolment) => Promise<EnrolOutcome>;
  /** A revoked machine's unfinished actions end with it. */
  readonly decideEnrolment: (change: EnrolmentChange) => Promise<EnrolmentOutcome>;
  readonly identity: (machineId: MachineId) => Promise<DeviceIdentity | null>;
  /** The machine is connected by this session from now on, whatever session it had. */
  readonly connected: (connection: Connection) => Promise<ConnectOutcome>;
  /** Another key of the machine is wanted from now on, until there is one. */
  readonly wantKey: (wish: KeyWish) => Promise<void>;
  /** The new key is in force from now on, and the former one is refused. */
  readonly renewKey: (change: KeyChange) => Promise<KeyOutcome>;
  /** The device has this token on its disk. */
  readonly generationKept: (machineId: MachineId, hash: string) => Promise<void>;
  /** The device believes these authorities from now on. */
  readonly trusts: (machineId: MachineId, trusted: readonly Sha256[]) => Promise<void>;
  /** Of all tenants, since they share the server's certificate. */
  readonly unaware: (authority: Sha256) => Promise<Unaware>;
  /** No longer, if it still was by this session. */
  readonly disconnected: (machineId: MachineId, sessionId: string, now: EpochMs) => Promise<void>;
  /** Heartbeats, in batches; each batch is a unit of its own. */
  readonly seen: (machineIds: readonly MachineId[], now: EpochMs) => Promise<void>;
  /** At start: no connection has survived. */
  readonly disconnectAll: () => Promise<void>;
  readonly get: (reach: Reach, machineId: MachineId) => Promise<MachineRecord | null>;
  /** By id, DNS name (any case) or aadDeviceId; merged records only by id. */
  readonly resolve: (reach: Reach, text: string) => Promise<readonly MachineRecord[]>;
  readonly list: (
    reach: Reach,
    query: CollectionQuery,
    now: EpochMs,
  ) => Promise<{
    readonly machines: readonly MachineRecord[];
    readonly count: number | null;
    readonly hasMore: boolean;
  }>;
  readonly byAddress: (
    reach: Reach,
    address: string,
    window: { readonly from: EpochMs; readonly to: EpochMs },
  ) => Promise<readonly MachineRecord[]>;
  readonly byTag: (reach: Reach, tag: string, startsWith: boolean) => Promise<readonly MachineRecord[]>;
  /** False when the machine is out of reach by now. */
  readonly changeTag: (change: {
    readonly reach: Reach;
    readonly machineId: MachineId;
    readonly tag: string;
    readonly action: 'Add' | 'Remove';
    readonly actor: string;
    readonly origin: Origin;
    readonly now: EpochMs;
  }) => Promise<boolean>;
};

type GroupChange = { readonly tenantId: TenantId; readonly actor: string; readonly now: EpochMs };

export type GroupSettings = Pick<DeviceGroup, 'liveResponse' | 'approval'>;

/** Device groups. Names are unique in a tenant, in any case. */
export type GroupStore = {
  /** Null when the name is taken. */
  readonly add: (group: GroupChange & GroupSettings & { readonly name: string }) => Promise<DeviceGroup | null>;
  readonly find: (tenantId: TenantId, name: string) => Promise<DeviceGroup | null>;
  /** By name, with how many machines are in each. */
  readonly list: (tenantId: TenantId) => Promise<readonly (DeviceGroup & { readonly machines: number })[]>;
  /** Null when there is none. What was requested before stays as it was requested. */
  readonly change: (
    group: GroupChange & { readonly name: string; readonly settings: Partial<GroupSettings> },
  ) => Promise<DeviceGroup | null>;
  /** Only an empty group goes: neither a machine nor a good enrolment token is left without what it had. */
  readonly remove: (group: GroupChange & { readonly name: string }) => Promise<'removed' | 'unknown' | 'in-use'>;
  /** Moves a machine into the group, or out of any. False when there is no such machine. */
  readonly move: (
    move: GroupChange & { readonly machineId: MachineId; readonly groupId: DeviceGroup['id'] | null },
  ) => Promise<boolean>;
};
