/**
 * Whether a device may work for this server: one column, changed by decisions of the administrator.
 *
 *   PendingApproval ─approve→ Approved          any but Revoked ─revoke→ Revoked: final
 *         └ reject→ Rejected ─approve→ Approved
 *   Approved ─its key is used in two places→ Quarantined ─approve→ Approved
 *
 * Who waits, or is in quarantine, connects and is seen, and gets nothing to do. Who was rejected or revoked is sent away.
 */
import type { EnrolmentDecision, EnrolmentState } from '@longarm/contract/machine';

const FROM: Readonly<Record<EnrolmentDecision, readonly EnrolmentState[]>> = {
  approve: ['PendingApproval', 'Rejected', 'Quarantined'],
  reject: ['PendingApproval'],
  revoke: ['PendingApproval', 'Approved', 'Rejected', 'Quarantined'],
};

const TO: Readonly<Record<EnrolmentDecision, EnrolmentState>> = {
  approve: 'Approved',
  reject: 'Rejected',
  revoke: 'Revoked',
};

/** The state after the decision, or null where it does not apply. */
export const decideState = (state: EnrolmentState, decision: EnrolmentDecision): EnrolmentState | null =>
  FROM[decision].includes(state) ? TO[decision] : null;

/** True for a device whose key is refused. */
export const isSentAway = (state: EnrolmentState): boolean => state === 'Rejected' || state === 'Revoked';

const SAID: Readonly<Record<EnrolmentState, string>> = {
  Approved: 'is approved',
  PendingApproval: 'waits for approval',
  Rejected: 'was rejected',
  Revoked: 'was revoked',
  Quarantined: 'is in quarantine',
};

/** "was revoked: stolen". */
export const stateSentence = (state: EnrolmentState, reason: string | null): string =>
  reason === null || reason === '' ? SAID[state] : `${SAID[state]}: ${reason}`;
