import type { AdminAnswer, AdminOperation, AdminRequest } from '@longarm/contract/admin/operations';

/** Who does what is done through this door. */
export const ACTOR = 'local administrator';

/** Every operation of the contract: a new one does not compile until it is answered. */
export type AdminOperations = {
  readonly [Name in AdminOperation]: (request: AdminRequest<Name>) => Promise<AdminAnswer<Name>>;
};
