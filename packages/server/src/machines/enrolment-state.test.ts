import { expect, test } from 'bun:test';
import { ENROLMENT_DECISIONS, ENROLMENT_STATES } from '@longarm/contract/machine';
import { decideState, isSentAway, stateSentence } from './enrolment-state.ts';

test('each decision in each state', () => {
  const table = Object.fromEntries(
    ENROLMENT_STATES.map((state) => [state, ENROLMENT_DECISIONS.map((decision) => decideState(state, decision))]),
  );
  expect(table).toEqual({
    Approved: [null, null, 'Revoked'],
    PendingApproval: ['Approved', 'Rejected', 'Revoked'],
    Rejected: ['Approved', null, 'Revoked'],
    Revoked: [null, null, null],
    Quarantined: ['Approved', null, 'Revoked'],
  });
});

test('who is sent away, and how it is said', () => {
  expect(ENROLMENT_STATES.filter(isSentAway)).toEqual(['Rejected', 'Revoked']);
  expect(stateSentence('Revoked', 'stolen')).toBe('was revoked: stolen');
  expect(stateSentence('PendingApproval', null)).toBe('waits for approval');
});
