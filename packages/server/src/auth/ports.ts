/** What the gatekeepers need of the store. Each method is one atomic unit of work. */
import type { ApplicationId, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Role } from '@longarm/contract/permission';
import type { DeviceGroups } from '../audit/reach.ts';
import type { DeviceGroup } from '../machines/ports.ts';

export type ApplicationRecord = {
  readonly id: ApplicationId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly secretSha256: string;
  readonly roles: readonly Role[];
  /** Whose machines its tokens reach. */
  readonly deviceGroups: DeviceGroups;
  readonly createdAt: EpochMs;
};

export type EnrolTokenRecord = {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly secretSha256: string;
  readonly tags: readonly string[];
  /** The device group of machines that enrol with it. */
  readonly group: Pick<DeviceGroup, 'id' | 'name'> | null;
  readonly uses: number;
  readonly maxUses: number | null;
  readonly expiresAt: EpochMs | null;
  readonly revoked: boolean;
  readonly createdAt: EpochMs;
};

export type AccessStore = {
  /** The first tenant, made at the first start. */
  readonly defaultTenant: () => Promise<TenantId>;
  readonly findApplication: (id: ApplicationId) => Promise<ApplicationRecord | null>;
  readonly addApplication: (application: ApplicationRecord, actor: string) => Promise<void>;
  readonly listApplications: (tenantId: TenantId) => Promise<readonly ApplicationRecord[]>;
  readonly removeApplication: (id: ApplicationId, actor: string, now: EpochMs) => Promise<boolean>;
  readonly addEnrolToken: (token: EnrolTokenRecord, actor: string) => Promise<void>;
  readonly listEnrolTokens: (tenantId: TenantId) => Promise<readonly EnrolTokenRecord[]>;
  readonly revokeEnrolToken: (id: string, actor: string, now: EpochMs) => Promise<boolean>;
  /** A value made once and kept: the first one given for a name wins. */
  readonly keepSetting: (name: string, value: string) => Promise<string>;
};
