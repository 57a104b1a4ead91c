import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';

/** A change that the audit tells of: where, by whom, when. */
export type Change = { readonly tenantId: TenantId; readonly actor: string; readonly now: EpochMs };
