/** The unit behind the sweeper: what is past its deadline ends, and a slot that outlived the run deadline is freed. */
import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import type { ExpiredAction } from '../../actions/ports.ts';
import { prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { applyEvent } from './apply-event.ts';
import { holdsSlot, isInProgress, isPending } from './conditions.ts';
import { withCommands } from './load-actions.ts';

type Deadline = {
  readonly event: { readonly kind: 'queue-expired' | 'run-expired' };
  readonly now: number;
  readonly limit: number;
};

type Moment = { readonly now: number; readonly limit: number };

// asked at each tick, whether anything is overdue or not
const queuedTooLong = prepared((db, given: Moment) =>
  db
    .selectFrom('actions')
    .selectAll()
    .where(isPending)
    .where('queue_deadline', '<=', given.now)
    .orderBy('queue_deadline')
    .limit(sql<number>`${given.limit}`),
);

const runningTooLong = prepared((db, given: Moment) =>
  db
    .selectFrom('actions')
    .selectAll()
    .where(isInProgress)
    .where('run_deadline', '<=', given.now)
    .orderBy('run_deadline')
    .limit(sql<number>`${given.limit}`),
);

const overdue = async (db: Kysely<Schema>, { event, now, limit }: Deadline) =>
  (await (event.kind === 'queue-expired' ? queuedTooLong : runningTooLong)(db, { now, limit })).rows;

const expire = async (db: Kysely<Schema>, deadline: Deadline): Promise<readonly ExpiredAction[]> => {
  const expired: ExpiredAction[] = [];
  for (const action of await withCommands(db, await overdue(db, deadline))) {
    const after = await applyEvent(db, action, { event: deadline.event, actor: 'server', now: deadline.now });
    if (after !== null)
      expired.push({
        actionId: action.id,
        machineId: action.machineId,
        reason: after.reason ?? 'timed out',
        createdAt: action.createdAt,
      });
  }
  return expired;
};

/** Actions whose machine holds no connection now. */
const ofAbsentMachine = (eb: ExpressionBuilder<Schema, 'actions'>) =>
  eb.not(
    eb.exists(
      eb
        .selectFrom('machines')
        .select('machines.id')
        .whereRef('machines.id', '=', 'actions.machine_id')
        .where('machines.session_id', 'is not', null),
    ),
  );

/**
 * A slot is given back where nothing can run any more: a cancel that its device never confirmed, past the run
 * deadline; and an action that waits for a machine that has gone, when it was never offered, or was offered so long
 * ago that its run would be over. A later claim takes a slot anew (ADR 0021).
 */
const freeSlots = prepared((db, given: { readonly now: number }) =>
  db
    .updateTable('actions')
    .set({ holds_slot: 0 })
    .where(holdsSlot)
    .where((eb) => {
      const isPast = eb('run_deadline', '<=', given.now);
      const isFinal = eb('status', 'not in', ['Pending', 'InProgress']);
      const waits = eb.and([eb('status', '=', 'Pending'), ofAbsentMachine(eb)]);
      return eb.or([eb.and([isFinal, isPast]), eb.and([waits, eb.or([eb('envelope', 'is', null), isPast])])]);
    }),
);

export const expireOverdue = async (
  db: Kysely<Schema>,
  now: number,
  limit: number,
): Promise<readonly ExpiredAction[]> => {
  const queued = await expire(db, { event: { kind: 'queue-expired' }, now, limit });
  const running = await expire(db, { event: { kind: 'run-expired' }, now, limit });
  await freeSlots(db, { now });
  return [...queued, ...running];
};
