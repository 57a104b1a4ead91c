/** Lockdown in the store: one setting, read in the units of requests and claims. */
import type { Kysely } from 'kysely';
import type { LockdownState, LockdownStore } from '../../actions/lockdown-ports.ts';
import type { Schema } from '../schema.ts';
import { readSetting } from '../settings.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';
import { applyEvent } from './apply-event.ts';
import { isUnfinished } from './conditions.ts';
import { loadAction, withCommands } from './load-actions.ts';

const SETTING = 'lockdown';

/** The lockdown that is on, or null. */
export const lockdownState = async (db: Kysely<Schema>): Promise<LockdownState | null> => {
  const value = await readSetting(db, SETTING);
  return value === null ? null : JSON.parse(value);
};

const lock = async (db: Kysely<Schema>, by: Parameters<LockdownStore['lock']>[0]): Promise<boolean> => {
  if ((await lockdownState(db)) !== null) return false;
  const state: LockdownState = { since: by.now, actor: by.actor, reason: by.reason };
  await db
    .insertInto('settings')
    .values({ name: SETTING, value: JSON.stringify(state) })
    .execute();
  const { tenantId, actor, reason } = by;
  await writeAudit(db, { tenantId, at: by.now, actor, event: 'lockdown.on', subject: 'server', detail: { reason } });
  return true;
};

const lift = async (db: Kysely<Schema>, by: Parameters<LockdownStore['lift']>[0]): Promise<boolean> => {
  if ((await lockdownState(db)) === null) return false;
  await db.deleteFrom('settings').where('name', '=', SETTING).execute();
  const { tenantId, actor } = by;
  await writeAudit(db, { tenantId, at: by.now, actor, event: 'lockdown.off', subject: 'server' });
  return true;
};

const cancelUnfinished = async (db: Kysely<Schema>, by: Parameters<LockdownStore['cancelUnfinished']>[0]) => {
  const rows = await db.selectFrom('actions').selectAll().where(isUnfinished).orderBy('seq').limit(by.limit).execute();
  const event = { kind: 'cancel', requestor: by.actor, comment: by.comment } as const;
  const cancelled = [];
  for (const action of await withCommands(db, rows)) {
    await applyEvent(db, action, { event, actor: by.actor, now: by.now });
    const after = await loadAction(db, action.id);
    if (after !== null) cancelled.push(after);
  }
  return cancelled;
};

export const lockdownStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): LockdownStore => ({
  state: () => lockdownState(reader),
  lock: (by) => units.run((db) => lock(db, by)),
  lift: (by) => units.run((db) => lift(db, by)),
  cancelUnfinished: (by) => units.run((db) => cancelUnfinished(db, by)),
});
