/** Lockdown, by whoever may read the data folder: no other door sets or lifts it. */
import type { TenantId } from '@longarm/contract/ids';
import { formatInstant } from '@longarm/contract/instant';
import type { Lockdown } from '../actions/lock-down.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';

type LockdownIo = { readonly lockdown: Lockdown; readonly tenant: TenantId };

export const lockdownOperations = (
  io: LockdownIo,
): Pick<AdminOperations, 'lockDown' | 'liftLockdown' | 'describeLockdown'> => ({
  lockDown: async ({ reason }) => ({
    cancelled: await io.lockdown.on({ tenantId: io.tenant, actor: ACTOR, reason }),
  }),
  liftLockdown: async () => ({ lifted: await io.lockdown.off({ tenantId: io.tenant, actor: ACTOR }) }),
  describeLockdown: async () => {
    const state = await io.lockdown.state();
    if (state === null) return { lockdown: null };
    const { since, actor, reason } = state;
    return { lockdown: { sinceDateTimeUtc: formatInstant(since), actor, reason } };
  },
});
