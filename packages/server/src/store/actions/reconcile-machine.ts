/** The unit behind a device's return: what its journal and the rows disagree about is settled (semantics 4). */
import { isFinal } from '@longarm/contract/action';
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { ActionStore, Reconciliation } from '../../actions/ports.ts';
import { idsOf, type ListedMachine, machinesOf } from '../machine-list.ts';
import { prepared, preparedList } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { partsOf } from '../together.ts';
import { applyEvent } from './apply-event.ts';
import { isNotOver, isPending, isUnconfirmed, isUnfinished } from './conditions.ts';
import { withCommands } from './load-actions.ts';

type Device = Parameters<ActionStore['reconcile']>[0];

const among = (db: Kysely<Schema>, machines: readonly ListedMachine[]) =>
  db.selectFrom('actions').where('machine_id', 'in', idsOf(machines));

/** What is not over, and cancels that were never confirmed: a machine that comes back settles both. */
const openActions = (db: Kysely<Schema>, machines: readonly ListedMachine[]) => {
  // two queries in one, since no index holds both, and one over all actions of a machine is long
  const notOver = among(db, machines).where(isNotOver).select('actions.seq');
  const unconfirmed = among(db, machines).where(isUnconfirmed).select('actions.seq');
  return db.selectFrom('actions').where('seq', 'in', notOver.union(unconfirmed)).orderBy('seq');
};

const openMachines = preparedList((db, machines: readonly ListedMachine[]) =>
  openActions(db, machines).select('machine_id'),
);
const openOf = prepared((db, given: ListedMachine) => openActions(db, [given]).selectAll());

const NOTHING: Reconciliation = { resume: [], stop: [], changed: [], isAwaited: false };

/**
 * What comes of each device that holds nothing and for which nothing is open, null where there is more to it. One read
 * outside of any unit, since it is so of nearly every device of a herd: an action that is asked for meanwhile is
 * Pending, and nothing of it is to be settled.
 */
export const settledAtOnce = async (
  reader: Kysely<Schema>,
  devices: readonly Device[],
): Promise<readonly (Reconciliation | null)[]> => {
  const open = new Set<MachineId>();
  for (const part of partsOf(machinesOf(idsOf(devices))))
    for (const row of (await openMachines(reader, part, {})).rows) open.add(row.machine_id);
  return devices.map(({ machineId, journaled }) => (journaled.length > 0 || open.has(machineId) ? null : NOTHING));
};

const listed = (db: Kysely<Schema>, device: Device) =>
  device.journaled.length === 0
    ? []
    : db
        .selectFrom('actions')
        .selectAll()
        .where('machine_id', '=', device.machineId)
        .where('id', 'in', device.journaled)
        .execute();

/** Running or cancelled here, unknown there: it is over, and nothing of it runs. */
const settleUnknown = async (
  db: Kysely<Schema>,
  device: Device,
  open: readonly ActionRecord[],
): Promise<readonly ActionId[]> => {
  const journaled = new Set(device.journaled);
  const changed: ActionId[] = [];
  for (const action of open) {
    if (journaled.has(action.id) || action.status === 'Pending') continue;
    const after = await applyEvent(db, action, { event: { kind: 'lost' }, actor: 'server', now: device.now });
    if (after !== null) changed.push(action.id);
  }
  return changed;
};

/** A new connection means that offers on the old one will never arrive: they may be made again at once. */
const dropLeases = prepared((db, given: ListedMachine) =>
  db
    .updateTable('actions')
    .set({ lease_until: null })
    .where('machine_id', '=', given.machineId)
    .where(isUnfinished)
    .where(isPending)
    .where('lease_until', 'is not', null),
);

const stopOrder = (action: ActionRecord) => ({
  actionId: action.id,
  reason: action.reason ?? `the action is ${action.status}`,
});

export const reconcileMachine = async (db: Kysely<Schema>, device: Device): Promise<Reconciliation> => {
  const { machineId } = device;
  const open = await withCommands(db, (await openOf(db, { machineId })).rows);
  const changed = await settleUnknown(db, device, open);
  await dropLeases(db, { machineId });
  const known = await withCommands(db, await listed(db, device));
  const knownIds = new Set(known.map((action) => action.id));
  const strangers = device.journaled.filter((id) => !knownIds.has(id));
  return {
    resume: known.filter((action) => !isFinal(action.status)).map((action) => action.id),
    stop: [
      ...known.filter((action) => isFinal(action.status)).map(stopOrder),
      ...strangers.map((actionId) => ({ actionId, reason: 'the server does not know this action' })),
    ],
    changed,
    isAwaited: open.length > 0,
  };
};
