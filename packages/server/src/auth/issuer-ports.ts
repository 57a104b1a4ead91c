/** Other issuers whose tokens are good here. Each method is one atomic unit of work. */
import type { IssuerSettings } from '@longarm/contract/admin/issuer-operations';
import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Change } from './change.ts';

export type IssuerRecord = IssuerSettings & {
  readonly id: string;
  /** Whose machines its tokens reach. */
  readonly tenantId: TenantId;
  readonly createdAt: EpochMs;
};

export type IssuerStore = {
  readonly findIssuer: (url: string) => Promise<IssuerRecord | null>;
  readonly listIssuers: (tenantId: TenantId) => Promise<readonly IssuerRecord[]>;
  /** False when it is there already. */
  readonly addIssuer: (issuer: IssuerRecord, change: Change) => Promise<boolean>;
  readonly removeIssuer: (url: string, change: Change) => Promise<boolean>;
};
