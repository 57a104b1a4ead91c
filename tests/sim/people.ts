/** Who calls: people of this world's tenant, who act through one application, and people of another tenant. */
import { ApplicationId, TenantId } from '@longarm/contract/ids';
import type { Caller } from '@longarm/server/audit/ports';
import { TENANT } from './founding.ts';

const APPLICATION = ApplicationId.parse('5d0f3c1e-0000-4000-8000-000000000001');
const OTHER_TENANT = TenantId.parse('11111111-2222-4333-8444-555555555555');

export const callerOf = (name: string): Caller => ({
  tenantId: TENANT,
  deviceGroups: 'all',
  kind: 'application',
  roles: [],
  scopes: [],
  subject: name,
  principal: name,
  applicationId: APPLICATION,
  name,
  origin: { address: null, requestId: 'simulated' },
});

/** Whatever this one names, for them it is not there. */
export const strangerOf = (name: string): Caller => ({ ...callerOf(name), tenantId: OTHER_TENANT });
