/** Decisions on devices and their keys, by the local administrator. */
import type { TenantId } from '@longarm/contract/ids';
import { wholeTenant } from '../audit/reach.ts';
import type { DecideEnrolment } from '../machines/decide-enrolment.ts';
import type { WantKey } from '../machines/want-key.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';

type EnrolmentIo = {
  readonly decideEnrolment: DecideEnrolment;
  readonly wantKey: WantKey;
  readonly tenant: TenantId;
};

export const enrolmentOperations = (io: EnrolmentIo): Pick<AdminOperations, 'decideEnrolment' | 'wantKey'> => ({
  decideEnrolment: (asked) => io.decideEnrolment(wholeTenant(io.tenant), { ...asked, actor: ACTOR }),
  wantKey: ({ machine }) => io.wantKey(wholeTenant(io.tenant), { machine, actor: ACTOR }),
});
