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
  /** Of an authenticator app, encrypted; null without one. */
  readonly totpSecret: string | null;
  /** By an administrator's word; the server's own setting may demand it of everybody. */
  readonly secondFactorRequired: boolean;
  readonly lastSignInAt: EpochMs | null;
};

/** The way to a first password, good once. */
export type SetUp = { readonly sha256: string; readonly expiresAt: EpochMs };

export type NewPerson = Pick<
  PersonRecord,
  'id' | 'name' | 'displayName' | 'roles' | 'deviceGroups' | 'secondFactorRequired'
>;

export type PersonSettings = Pick<PersonRecord, 'roles' | 'deviceGroups' | 'disabled' | 'secondFactorRequired'> & {
  /** Forgets app, security keys and recovery codes, and ends what renews tokens or waits to become one. */
  readonly resetSecondFactor: true;
};

export type PeopleStore = {
  /** By name, in any case. */
  readonly find: (tenantId: TenantId, name: string) => Promise<PersonRecord | null>;
  readonly findById: (id: string) => Promise<PersonRecord | null>;
  readonly list: (tenantId: TenantId) => Promise<readonly (PersonRecord & { readonly securityKeys: number })[]>;
  /** False when there is somebody of that name. */
  readonly add: (person: NewPerson, setUp: SetUp, change: Change) => Promise<boolean>;
  /** Whoever is disabled by it has no refresh token any more. */
  readonly change: (id: string, settings: Partial<PersonSettings>, change: Change) => Promise<void>;
  /** Forgets password and second factor, and ends what was issued. */
  readonly reset: (id: string, setUp: SetUp, change: Change) => Promise<void>;
  readonly remove: (id: string, change: Change) => Promise<void>;
  readonly findSetUp: (sha256: string, now: EpochMs) => Promise<PersonRecord | null>;
  /** Ends the set-up in the same unit; null when it is unknown, over or used. */
  readonly setUp: (sha256: string, passwordHash: string, now: EpochMs) => Promise<PersonRecord | null>;
  readonly signedIn: (id: string, now: EpochMs) => Promise<void>;
};
