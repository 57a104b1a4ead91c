/**
 * Conditions on actions as the partial indexes state them, in literals: a bound parameter proves nothing to SQLite's
 * planner, and the index is passed over for a walk through all actions (query-plans.test.ts).
 */
import { type SqlBool, sql } from 'kysely';

export const isPending = sql<SqlBool>`actions.status = 'Pending'`;
/** It waits, and its machine is connected. */
export const isReady = sql<SqlBool>`actions.status = 'Pending' and actions.is_reachable = 1`;
/** It waits for no second person. */
export const isApproved = sql<SqlBool>`(actions.approval_state is null or actions.approval_state = 'Approved')`;
export const isInProgress = sql<SqlBool>`actions.status = 'InProgress'`;
export const isUnfinished = sql<SqlBool>`actions.status in ('Pending', 'InProgress')`;
export const holdsSlot = sql<SqlBool>`actions.holds_slot = 1`;
/** Something of it runs on its machine, or will. */
export const isNotOver = sql<SqlBool>`(actions.status in ('Pending', 'InProgress') or actions.holds_slot = 1)`;
/** A cancel that its machine has not confirmed. */
export const isUnconfirmed = sql<SqlBool>`actions.cancellation_state in ('Requested', 'Acknowledged')`;
