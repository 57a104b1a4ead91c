/** Whose machines somebody can see at all, and what two such limits allow together. */
import type { TenantId } from '@longarm/contract/ids';

/** Names of device groups, in any case; `all` includes machines that are in none. */
export type DeviceGroups = 'all' | readonly string[];

/**
 * Every read and every unit about machines and actions takes one: what is out of reach is as unknown as what does not
 * exist.
 */
export type Reach = {
  /** From the token, never from a URL. */
  readonly tenantId: TenantId;
  readonly deviceGroups: DeviceGroups;
};

/** Two names that have the same key are one group. */
export const groupKey = (name: string): string => name.trim().toLowerCase();

/** What both allow: a person acts through an application, and neither gains by the other. */
export const bothReach = (one: DeviceGroups, other: DeviceGroups): DeviceGroups => {
  if (one === 'all') return other;
  if (other === 'all') return one;
  const keys = new Set(other.map(groupKey));
  return one.filter((name) => keys.has(groupKey(name)));
};

/** Everything of a tenant: for signed links, which carry their own permission, and for the local administrator. */
export const wholeTenant = (tenantId: TenantId): Reach => ({ tenantId, deviceGroups: 'all' });
