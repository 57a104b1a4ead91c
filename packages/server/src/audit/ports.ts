/** Who acts, as requests and the audit know them. */
import type { TenantId } from '@longarm/contract/ids';

export type Caller = {
  /** From the token, never from a URL. */
  readonly tenantId: TenantId;
  /** Counts as one caller for rates and idempotency: the application's id, or the person's. */
  readonly subject: string;
  /** How the caller is called in `requestor`, and in the audit. */
  readonly name: string;
  /** Claims `roles` and `scp`. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
};
