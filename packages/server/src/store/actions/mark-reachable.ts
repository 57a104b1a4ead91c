/** What waits for machines learns that they are connected, or no longer: in the unit that says so of the machines. */
import type { MachineId } from '@longarm/contract/ids';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { isPending, isReady, isUnfinished } from './conditions.ts';

export const markReachable = async (
  db: Kysely<Schema>,
  machineIds: readonly MachineId[],
  isReachable: boolean,
): Promise<void> => {
  if (machineIds.length === 0) return;
  await db
    .updateTable('actions')
    .set({ is_reachable: isReachable ? 1 : 0 })
    // the first names the index that holds those that are not over, by machine
    .where(isUnfinished)
    .where(isPending)
    .where('machine_id', 'in', machineIds)
    .execute();
};

/** No machine is connected. */
export const markAllUnreachable = async (db: Kysely<Schema>): Promise<void> => {
  await db.updateTable('actions').set({ is_reachable: 0 }).where(isReady).execute();
};
