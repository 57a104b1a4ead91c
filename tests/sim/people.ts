/** Who calls: people of this world's tenant, who act through one application, and people of another tenant. */
import { ApplicationId, TenantId } from '@longarm/contract/ids';
import type { Caller } from '@longarm/server/audit/ports';
import type { Faults } from './faults.ts';
import { TENANT } from './founding.ts';
import type { Watch } from './invariants.ts';
import type { Random } from './random.ts';
import type { ServerProgram } from './server-program.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What those need who do what has to be looked at: strangers, and second persons. */
export type PeopleIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly server: { readonly program: () => ServerProgram | null };
  readonly watch: Pick<Watch, 'violate'>;
};

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
