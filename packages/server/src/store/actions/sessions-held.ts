import type { TenantId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import { firstOf, prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { holdsSlot } from './conditions.ts';

const count = prepared((db, given: { readonly tenantId: TenantId }) =>
  db
    .selectFrom('actions')
    .select((eb) => eb.fn.countAll<number>().as('held'))
    .where('tenant_id', '=', given.tenantId)
    .where(holdsSlot),
);

/** Live response sessions of the tenant that run now (semantics 2). */
export const sessionsHeld = async (db: Kysely<Schema>, tenantId: TenantId): Promise<number> => {
  const row = await firstOf(count(db, { tenantId }));
  return Number(row?.held);
};
