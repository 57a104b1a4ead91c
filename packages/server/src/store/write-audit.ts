/** One audit entry, in the transaction of the change that it tells of. */
import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

export type AuditEntry = {
  readonly tenantId: TenantId;
  readonly at: EpochMs;
  /** Who: an application's name, `device <id>`, `server`, `local administrator`. */
  readonly actor: string;
  /** What happened: `action.requested`, `action.InProgress`, … */
  readonly event: string;
  /** To what. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

export const writeAudit = async (db: Kysely<Schema>, entry: AuditEntry): Promise<void> => {
  await db
    .insertInto('audit')
    .values({
      tenant_id: entry.tenantId,
      at: entry.at,
      actor: entry.actor,
      event: entry.event,
      subject: entry.subject,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
};
