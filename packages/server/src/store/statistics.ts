/** Counts for whoever watches the server: each over an index of what is unfinished, so that they cost no scan. */
import type { Kysely } from 'kysely';
import { lockdownState } from './actions/lockdown-store.ts';
import type { Schema } from './schema.ts';

export type Statistics = {
  readonly sessionsHeld: number;
  readonly pending: number;
  readonly running: number;
  /** When the oldest waiting action was asked for; null when none waits. */
  readonly oldestPendingAt: number | null;
  readonly isLockedDown: boolean;
  readonly auditHead: number;
};

export const readStatistics = async (db: Kysely<Schema>): Promise<Statistics> => {
  const held = await db
    .selectFrom('actions')
    .select((eb) => eb.fn.countAll<number>().as('held'))
    .where('holds_slot', '=', 1)
    .executeTakeFirstOrThrow();
  const pending = await db
    .selectFrom('actions')
    .select((eb) => [eb.fn.countAll<number>().as('actions'), eb.fn.min('created_at').as('oldest')])
    .where('status', '=', 'Pending')
    .executeTakeFirstOrThrow();
  const running = await db
    .selectFrom('actions')
    .select((eb) => eb.fn.countAll<number>().as('actions'))
    .where('status', '=', 'InProgress')
    .executeTakeFirstOrThrow();
  const head = await db.selectFrom('audit_head').select('seq').where('id', '=', 1).executeTakeFirst();
  return {
    sessionsHeld: Number(held.held),
    pending: Number(pending.actions),
    running: Number(running.actions),
    oldestPendingAt: pending.oldest === null ? null : Number(pending.oldest),
    isLockedDown: (await lockdownState(db)) !== null,
    auditHead: Number(head?.seq ?? 0),
  };
};

/** Devices that were enrolled and not replaced. Looks at each of them. */
export const countMachines = async (db: Kysely<Schema>): Promise<number> => {
  const found = await db
    .selectFrom('machines')
    .select((eb) => eb.fn.countAll<number>().as('machines'))
    .where('merged_into', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(found.machines);
};
