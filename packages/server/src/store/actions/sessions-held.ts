import type { TenantId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { holdsSlot } from './conditions.ts';

/** Live response sessions of the tenant that run now (semantics 2). */
export const sessionsHeld = async (db: Kysely<Schema>, tenantId: TenantId): Promise<number> => {
  const row = await db
    .selectFrom('actions')
    .select((eb) => eb.fn.countAll<number>().as('held'))
    .where('tenant_id', '=', tenantId)
    .where(holdsSlot)
    .executeTakeFirstOrThrow();
  return Number(row.held);
};
