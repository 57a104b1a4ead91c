/**
 * The one place where a caller's reach becomes SQL: tenant and device groups, in every query and unit about machines
 * or actions, so that what is out of reach is not there.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Reach } from '../audit/reach.ts';
import { groupKey } from '../audit/reach.ts';

/** `= (…)` for one group, which lets a list walk the index of that group in its order, and `in (…)` for several. */
const amongGroups = (tenantId: Reach['tenantId'], names: readonly string[]): RawBuilder<unknown> => {
  const keys = [...new Set(names.map(groupKey))];
  const ids = sql`(select device_groups.id from device_groups where device_groups.tenant_id = ${tenantId} and device_groups.name_key in (${sql.join(keys)}))`;
  return keys.length === 1 ? sql`= ${ids}` : sql`in ${ids}`;
};

/** True of the rows of `machines` that are in reach. */
export const machineInReach = ({ tenantId, deviceGroups }: Reach): RawBuilder<SqlBool> => {
  if (deviceGroups === 'all') return sql`machines.tenant_id = ${tenantId}`;
  if (deviceGroups.length === 0) return sql`1 = 0`;
  return sql`(machines.tenant_id = ${tenantId} and machines.group_id ${amongGroups(tenantId, deviceGroups)})`;
};

/** True of the rows of `actions` whose machine is in reach, by the group that it is in now, which their rows repeat. */
export const actionInReach = ({ tenantId, deviceGroups }: Reach): RawBuilder<SqlBool> => {
  if (deviceGroups === 'all') return sql`actions.tenant_id = ${tenantId}`;
  if (deviceGroups.length === 0) return sql`1 = 0`;
  return sql`(actions.tenant_id = ${tenantId} and actions.group_id ${amongGroups(tenantId, deviceGroups)})`;
};
