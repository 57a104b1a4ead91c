/** What the gatekeepers need of the store. Each method is one atomic unit of work. */
import type { CredentialKind } from '@longarm/contract/admin/application-operations';
import type { Grant } from '@longarm/contract/application';
import type { ApplicationId, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Role, Scope } from '@longarm/contract/permission';
import type { DeviceGroups } from '../audit/reach.ts';
import type { DeviceGroup } from '../machines/ports.ts';
import type { Change } from './change.ts';

export type ApplicationRecord = {
  readonly id: ApplicationId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Whose machines its tokens reach. */
  readonly deviceGroups: DeviceGroups;
  readonly createdAt: EpochMs;
  readonly grants: readonly Grant[];
  /** What a person's token may be for. */
  readonly scopes: readonly Scope[];
  readonly redirectUris: readonly string[];
  /** It holds no secret, and speaks for people alone. */
  readonly isNative: boolean;
};

export type SecretRecord = {
  readonly id: string;
  readonly applicationId: ApplicationId;
  readonly secretSha256: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  /** To the minute. */
  readonly lastUsedAt: EpochMs | null;
};

export type CertificateRecord = {
  /** SHA-256 of its DER form, base64url: `x5t#S256` (RFC 7515 4.1.8). */
  readonly id: string;
  readonly applicationId: ApplicationId;
  readonly pem: string;
  readonly subject: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
  readonly lastUsedAt: EpochMs | null;
};

/** One of them, by name. */
export type CredentialName = {
  readonly applicationId: ApplicationId;
  readonly kind: CredentialKind;
  readonly id: string;
};

/** What applications prove themselves by. They go with their application. */
export type CredentialStore = {
  readonly secretsOf: (id: ApplicationId) => Promise<readonly SecretRecord[]>;
  readonly certificatesOf: (id: ApplicationId) => Promise<readonly CertificateRecord[]>;
  readonly addSecret: (secret: SecretRecord, change: Change) => Promise<void>;
  /** False when it is there already. */
  readonly addCertificate: (certificate: CertificateRecord, change: Change) => Promise<boolean>;
  readonly remove: (name: CredentialName, change: Change) => Promise<boolean>;
  readonly used: (name: CredentialName, now: EpochMs) => Promise<void>;
  /** False when the assertion was used before; it is remembered until it has expired. */
  readonly useAssertion: (
    assertion: { readonly id: string; readonly expiresAt: EpochMs },
    now: EpochMs,
  ) => Promise<boolean>;
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
  /** Devices that enrol with it wait for an administrator's yes. */
  readonly approval: boolean;
  readonly createdAt: EpochMs;
};

export type AccessStore = {
  /** The first tenant, made at the first start. */
  readonly defaultTenant: () => Promise<TenantId>;
  readonly findApplication: (id: ApplicationId) => Promise<ApplicationRecord | null>;
  /** With its first secret, where it has one, in one unit. */
  readonly addApplication: (
    application: ApplicationRecord,
    secret: SecretRecord | null,
    actor: string,
  ) => Promise<void>;
  readonly listApplications: (tenantId: TenantId) => Promise<readonly ApplicationRecord[]>;
  readonly removeApplication: (id: ApplicationId, actor: string, now: EpochMs) => Promise<boolean>;
  readonly addEnrolToken: (token: EnrolTokenRecord, actor: string) => Promise<void>;
  readonly listEnrolTokens: (tenantId: TenantId) => Promise<readonly EnrolTokenRecord[]>;
  readonly revokeEnrolToken: (id: string, actor: string, now: EpochMs) => Promise<boolean>;
  /** A value made once and kept: the first one given for a name wins. */
  readonly keepSetting: (name: string, value: string) => Promise<string>;
};
