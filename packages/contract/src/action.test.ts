import { expect, test } from 'bun:test';
import { ACTION_STATUSES, ActionEntity, COMMAND_STATUSES, CommandEntity, isFinal } from './action.ts';

test('statuses are spelt as clients compare them', () => {
  expect([...ACTION_STATUSES]).toEqual(['Pending', 'InProgress', 'Succeeded', 'Failed', 'TimeOut', 'Cancelled']);
  expect([...COMMAND_STATUSES]).toEqual(['Created', 'Executing', 'Completed', 'Failed']);
  expect(ACTION_STATUSES.filter(isFinal)).toEqual(['Succeeded', 'Failed', 'TimeOut', 'Cancelled']);
});

test('the documented keys come first, in the documented order', () => {
  const documented =
    'id type requestor requestorComment status machineId computerDnsName creationDateTimeUtc lastUpdateDateTimeUtc errorHResult commands';
  expect(Object.keys(ActionEntity.shape).slice(0, 11).join(' ')).toBe(documented);
  expect(Object.keys(CommandEntity.shape).slice(0, 6).join(' ')).toBe(
    'index startTime endTime commandStatus errors command',
  );
});
