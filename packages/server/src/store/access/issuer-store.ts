/** Other issuers in the store. */
import { IssuerSettings } from '@longarm/contract/admin/issuer-operations';
import type { Kysely, Selectable } from 'kysely';
import type { IssuerRecord, IssuerStore } from '../../auth/issuer-ports.ts';
import type { IssuerRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

const issuerRecord = (row: Selectable<IssuerRow>): IssuerRecord => ({
  ...IssuerSettings.parse(JSON.parse(row.settings)),
  id: row.id,
  tenantId: row.tenant_id,
  createdAt: row.created_at,
});

export const issuerStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): IssuerStore => ({
  findIssuer: async (url) => {
    const row = await reader.selectFrom('issuers').selectAll().where('url', '=', url).executeTakeFirst();
    return row === undefined ? null : issuerRecord(row);
  },
  listIssuers: async (tenantId) => {
    const rows = reader.selectFrom('issuers').selectAll().where('tenant_id', '=', tenantId);
    return (await rows.orderBy('created_at').execute()).map(issuerRecord);
  },
  addIssuer: ({ id, tenantId, createdAt, ...settings }, { actor, now }) =>
    units.run(async (db) => {
      const added = await db
        .insertInto('issuers')
        .values({
          id,
          tenant_id: tenantId,
          url: settings.url,
          settings: JSON.stringify(settings),
          created_at: createdAt,
        })
        .onConflict((conflict) => conflict.column('url').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (added === undefined) return false;
      await writeAudit(db, { tenantId, at: now, actor, event: 'issuer.added', subject: id, detail: { ...settings } });
      return true;
    }),
  removeIssuer: (url, { tenantId, actor, now }) =>
    units.run(async (db) => {
      const removed = await db
        .deleteFrom('issuers')
        .where('url', '=', url)
        .where('tenant_id', '=', tenantId)
        .returning('id')
        .executeTakeFirst();
      if (removed === undefined) return false;
      const subject = removed.id;
      await writeAudit(db, { tenantId, at: now, actor, event: 'issuer.removed', subject, detail: { url } });
      return true;
    }),
});
