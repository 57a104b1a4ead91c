/** Decisions on devices, by the local administrator. */
import type { TenantId } from '@longarm/contract/ids';
import { wholeTenant } from '../audit/reach.ts';
import type { DecideEnrolment } from '../machines/decide-enrolment.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';

type EnrolmentIo = { readonly decideEnrolment: DecideEnrolment; readonly tenant: TenantId };

export const enrolmentOperations = (io: EnrolmentIo): Pick<AdminOperations, 'decideEnrolment'> => ({
  decideEnrolment: (asked) => io.decideEnrolment(wholeTenant(io.tenant), { ...asked, actor: ACTOR }),
});
