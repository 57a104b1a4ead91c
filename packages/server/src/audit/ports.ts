/** Who acts, as requests and the audit know them; and what the audit promises. */
import type { AuditEntry, AuditHead } from '@longarm/contract/audit/audit-entry';
import type { AuditCheckpoint } from '@longarm/contract/audit/checkpoint';
import type { ApplicationId, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Claimant } from '@longarm/contract/permission';
import type { Reach } from './reach.ts';

/** Where a request came from, and its id: of every entry that it leads to, and in the answer that refuses it. */
export type Origin = {
  /** As the server sees it, or as a proxy that is vouched for says; null where there is none. */
  readonly address: string | null;
  readonly requestId: string | null;
};

export type Caller = Reach &
  Claimant & {
    /** Counts as one caller for rates and idempotency: the application's id, or the person through an application. */
    readonly subject: string;
    /** Stable over renames, and over the applications that a person uses. */
    readonly principal: string;
    readonly applicationId: ApplicationId;
    /** How the caller is called in `requestor`, and in the audit. */
    readonly name: string;
    readonly origin: Origin;
  };

/** What is to be written; the store gives it its place in the chain. */
export type NewAuditEntry = Pick<AuditEntry, 'actor' | 'event' | 'subject'> & {
  readonly tenantId: TenantId;
  readonly at: EpochMs;
  /** The request that it is by; what the server does by itself has none. */
  readonly origin?: Origin;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Signs a head by the audit's own key; takes no time, since it is called within a unit. */
export type SignHead = (head: AuditHead & { readonly at: EpochMs }) => AuditCheckpoint;

export type AuditStore = {
  /** Entries behind `after` in order, at most `AUDIT_PAGE_ENTRIES`; the head of the same moment. */
  readonly page: (
    after: number,
  ) => Promise<{ readonly entries: AuditEntry[]; readonly head: AuditHead; readonly isLast: boolean }>;
  /** Signs the head into the chain, in one unit; null where nothing came after the last checkpoint. */
  readonly checkpoint: (by: {
    readonly tenantId: TenantId;
    readonly at: EpochMs;
    readonly sign: SignHead;
  }) => Promise<AuditCheckpoint | null>;
  /** Adds entries that belong to no other change, in one unit. */
  readonly append: (entries: readonly NewAuditEntry[]) => Promise<void>;
};
