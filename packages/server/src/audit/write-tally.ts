/** Writes what was counted into the audit, in one unit: by the clock, and when the server stops. */
import type { TenantId } from '@longarm/contract/ids';
import type { AuditStore, NewAuditEntry } from './ports.ts';
import type { AuditTally } from './tally.ts';

type TallyIo = {
  readonly audit: Pick<AuditStore, 'append'>;
  readonly tally: AuditTally;
  /** Of whose audit what strangers do is. */
  readonly strangersTenant: () => Promise<TenantId>;
};

/** What could not be written stays, and is written the next time, before anything newer; nothing more is taken meanwhile. */
export const writeTally = (io: TallyIo): (() => Promise<void>) => {
  let unwritten: readonly NewAuditEntry[] = [];
  return async () => {
    const tenantId = await io.strangersTenant();
    if (unwritten.length === 0) unwritten = io.tally.take(tenantId);
    if (unwritten.length === 0) return;
    await io.audit.append(unwritten);
    unwritten = [];
  };
};
