/** What waits for machines learns that they are connected, or no longer: in the unit that says so of the machines. */
import type { MachineId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import { idsOf, type ListedMachine, machinesOf } from '../machine-list.ts';
import { preparedList } from '../prepared.ts';
import type { Schema } from '../schema.ts';
import { partsOf } from '../together.ts';
import { isPending, isReady, isUnfinished } from './conditions.ts';

const setReachable = preparedList((db, machines: readonly ListedMachine[], given: { readonly isReachable: 0 | 1 }) =>
  db
    .updateTable('actions')
    .set({ is_reachable: given.isReachable })
    // the first names the index that holds those that are not over, by machine
    .where(isUnfinished)
    .where(isPending)
    .where('machine_id', 'in', idsOf(machines)),
);

export const markReachable = async (
  db: Kysely<Schema>,
  machineIds: readonly MachineId[],
  isReachable: boolean,
): Promise<void> => {
  for (const part of partsOf(machinesOf(machineIds)))
    await setReachable(db, part, { isReachable: isReachable ? 1 : 0 });
};

/** No machine is connected. */
export const markAllUnreachable = async (db: Kysely<Schema>): Promise<void> => {
  await db.updateTable('actions').set({ is_reachable: 0 }).where(isReady).execute();
};
