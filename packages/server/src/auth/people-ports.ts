/** What is known of people who sign in here by themselves. Each method is one atomic unit of work. */
import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { PersonRole } from '@longarm/contract/permission';
import type { DeviceGroups } from '../audit/reach.ts';
import type { Change } from './change.ts';

export type PersonRecord = {
  /** The claim `oid`: a GUID. */
  readonly id: string;
  readonly tenantId: TenantId;
  /** The claim `upn`. */
  readonly name: string;
  readonly displayName: string;
  /** Null until a password was chosen. */
  readonly passwordHash: string | null;
  readonly roles: readonly PersonRole[];
  readonly deviceGroups: DeviceGroups;
  readonly disabled: boolean;
  readonly createdAt: EpochMs;
  /** Encrypted; null without a second factor. */
  readonly totpSecret: string | null;
  readonly lastSignInAt: EpochMs | null;
};

/** The way to a first password, good once. */
export type SetUp = { readonly sha256: string; readonly expiresAt: EpochMs };

export type NewPerson = Pick<PersonRecord, 'id' | 'name' | 'displayName' | 'roles' | 'deviceGroups'>;

export type PeopleStore = {
  /** By name, in any case. */
  readonly find: (tenantId: TenantId, name: string) => Promise<PersonRecord | null>;
  readonly findById: (id: string) => Promise<PersonRecord | null>;
  readonly list: (tenantId: TenantId) => Promise<readonly PersonRecord[]>;
  /** False when there is somebody of that name. */
  readonly add: (person: NewPerson, setUp: SetUp, change: Change) => Promise<boolean>;
  /** Whoever is disabled by it has no refresh token any more. */
  readonly change: (
    id: string,
    settings: Partial<Pick<PersonRecord, 'roles' | 'deviceGroups' | 'disabled'>>,
    change: Change,
  ) => Promise<void>;
  /** Forgets password and second factor, and ends what was issued. */
  readonly reset: (id: string, setUp: SetUp, change: Change) => Promise<void>;
  readonly remove: (id: string, change: Change) => Promise<void>;
  readonly findSetUp: (sha256: string, now: EpochMs) => Promise<PersonRecord | null>;
  /** Ends the set-up in the same unit; null when it is unknown, over or used. */
  readonly setUp: (sha256: string, passwordHash: string, now: EpochMs) => Promise<PersonRecord | null>;
  readonly setSecondFactor: (
    id: string,
    factor: { readonly totpSecret: string; readonly step: number; readonly recoverySha256: readonly string[] },
    now: EpochMs,
  ) => Promise<void>;
  /** False when this step or a later one was used before. */
  readonly useTotpStep: (id: string, step: number) => Promise<boolean>;
  /** False when there is no such code left. */
  readonly useRecoveryCode: (id: string, sha256: string, now: EpochMs) => Promise<boolean>;
  readonly signedIn: (id: string, now: EpochMs) => Promise<void>;
};
