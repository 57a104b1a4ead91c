/** Actions in the store: each method one unit of work, or one read. */
import type { MachineId } from '@longarm/contract/ids';
import { type Kysely, sql } from 'kysely';
import type { ActionStore, UnconfirmedCancel } from '../../actions/ports.ts';
import { prepared } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { together } from '../together.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { cancelAction } from './cancel-action.ts';
import { claimNext } from './claim-next.ts';
import { holdsSlot, isApproved, isReady } from './conditions.ts';
import { decideAction } from './decide-action.ts';
import { declareRestored } from './declare-restored.ts';
import { expireOverdue } from './expire-overdue.ts';
import { listActions } from './list-actions.ts';
import { loadActionInReach } from './load-actions.ts';
import type { EnvelopeMaker } from './make-envelope.ts';
import { reconcileMachine, settledAtOnce } from './reconcile-machine.ts';
import { recordFacts } from './record-facts.ts';
import { requestAction } from './request-action.ts';

type Device = Parameters<ActionStore['reconcile']>[0];

const readyMachines = prepared((db, given: { readonly now: number; readonly limit: number }) =>
  db
    .selectFrom('actions')
    .select('machine_id')
    .where(isReady)
    .where(isApproved)
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', given.now)]))
    .orderBy('seq')
    .limit(sql<number>`${given.limit}`),
);

const machinesToServe = async (db: Kysely<Schema>, now: number, limit: number): Promise<readonly MachineId[]> => {
  const { rows } = await readyMachines(db, { now, limit });
  return [...new Set(rows.map((row) => row.machine_id))];
};

const cancelsToRepeat = prepared((db, given: { readonly limit: number }) =>
  db
    .selectFrom('actions')
    .innerJoin('machines', 'machines.id', 'actions.machine_id')
    .select(['actions.id', 'actions.machine_id', 'actions.reason'])
    .where(holdsSlot)
    .where('actions.status', 'not in', ['Pending', 'InProgress'])
    .where('machines.session_id', 'is not', null)
    .limit(sql<number>`${given.limit}`),
);

const unconfirmedCancels = async (db: Kysely<Schema>, limit: number): Promise<readonly UnconfirmedCancel[]> => {
  const { rows } = await cancelsToRepeat(db, { limit });
  return rows.map((row) => ({ actionId: row.id, machineId: row.machine_id, reason: row.reason ?? 'cancelled' }));
};

type ActionStoreIo = {
  readonly units: UnitQueue<Schema>;
  readonly reader: Kysely<Schema>;
  readonly envelopes: EnvelopeMaker;
  /** Comes round once: what arrived together has asked. */
  readonly turn: () => Promise<void>;
};

const reconcile = (io: ActionStoreIo): ActionStore['reconcile'] => {
  const settled = together({
    turn: io.turn,
    ask: (devices: readonly Device[]) => settledAtOnce(io.reader, devices),
  });
  return async (device) => (await settled(device)) ?? io.units.run((db) => reconcileMachine(db, device));
};

export const actionStore = (io: ActionStoreIo): ActionStore => ({
  request: (action) => io.units.run((db) => requestAction(db, action, io.envelopes)),
  claimNext: (terms) => io.units.run((db) => claimNext(db, terms, io.envelopes)),
  record: (reports) => io.units.run((db) => recordFacts(db, reports)),
  cancel: (cancel) => io.units.run((db) => cancelAction(db, cancel)),
  decide: (decision) => io.units.run((db) => decideAction(db, decision)),
  reconcile: reconcile(io),
  expireOverdue: (now, limit) => io.units.run((db) => expireOverdue(db, now, limit)),
  declareRestored: (by) => io.units.run((db) => declareRestored(db, by)),
  machinesToServe: (now, limit) => machinesToServe(io.reader, now, limit),
  unconfirmedCancels: (limit) => unconfirmedCancels(io.reader, limit),
  get: (reach, actionId) => loadActionInReach(io.reader, reach, actionId),
  list: (reach, query) => listActions(io.reader, { reach, query }),
});
