/**
 * The one place where a caller's reach becomes SQL: tenant and device groups, in every query and unit about machines
 * or actions, so that what is out of reach is not there.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Reach } from '../audit/reach.ts';
import { groupKey } from '../audit/reach.ts';

/** True of the rows of `machines` that are in reach. */
export const machineInReach = ({ tenantId, deviceGroups }: Reach): RawBuilder<SqlBool> => {
  if (deviceGroups === 'all') return sql`machines.tenant_id = ${tenantId}`;
  if (deviceGroups.length === 0) return sql`1 = 0`;
  const keys = sql.join(deviceGroups.map(groupKey));
  return sql`(machines.tenant_id = ${tenantId} and machines.group_id in (select device_groups.id from device_groups where device_groups.tenant_id = ${tenantId} and device_groups.name_key in (${keys})))`;
};

/** True of the rows of `actions` whose machine is in reach, by the group that it is in now. */
export const actionInReach = (reach: Reach): RawBuilder<SqlBool> =>
  reach.deviceGroups === 'all'
    ? sql`actions.tenant_id = ${reach.tenantId}`
    : sql`(actions.tenant_id = ${reach.tenantId} and exists (select 1 from machines where machines.id = actions.machine_id and ${machineInReach(reach)}))`;
