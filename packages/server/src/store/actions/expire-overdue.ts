/** The unit behind the sweeper: what is past its deadline ends, and a slot that outlived the run deadline is freed. */
import type { Kysely } from 'kysely';
import type { ExpiredAction } from '../../actions/ports.ts';
import type { Schema } from '../schema.ts';
import { applyEvent } from './apply-event.ts';
import { withCommands } from './load-actions.ts';

type Deadline = {
  readonly event: { readonly kind: 'queue-expired' | 'run-expired' };
  readonly now: number;
  readonly limit: number;
};

const overdue = (db: Kysely<Schema>, deadline: Deadline) => {
  const query = db.selectFrom('actions').selectAll().orderBy('seq').limit(deadline.limit);
  return deadline.event.kind === 'queue-expired'
    ? query.where('status', '=', 'Pending').where('queue_deadline', '<=', deadline.now).execute()
    : query.where('status', '=', 'InProgress').where('run_deadline', '<=', deadline.now).execute();
};

const expire = async (db: Kysely<Schema>, deadline: Deadline): Promise<readonly ExpiredAction[]> => {
  const expired: ExpiredAction[] = [];
  for (const action of await withCommands(db, await overdue(db, deadline))) {
    const after = await applyEvent(db, action, { event: deadline.event, actor: 'server', now: deadline.now });
    if (after !== null)
      expired.push({ actionId: action.id, machineId: action.machineId, reason: after.reason ?? 'timed out' });
  }
  return expired;
};

/** A device that never confirmed a cancel keeps its slot no longer than the run could have lasted. */
const freeSlots = async (db: Kysely<Schema>, now: number) => {
  await db
    .updateTable('actions')
    .set({ holds_slot: 0 })
    .where('holds_slot', '=', 1)
    .where('status', 'not in', ['Pending', 'InProgress'])
    .where('run_deadline', '<=', now)
    .execute();
};

export const expireOverdue = async (
  db: Kysely<Schema>,
  now: number,
  limit: number,
): Promise<readonly ExpiredAction[]> => {
  const queued = await expire(db, { event: { kind: 'queue-expired' }, now, limit });
  const running = await expire(db, { event: { kind: 'run-expired' }, now, limit });
  await freeSlots(db, now);
  return [...queued, ...running];
};
