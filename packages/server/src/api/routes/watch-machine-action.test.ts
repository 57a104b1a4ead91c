import { expect, test } from 'bun:test';
import { ActionId, ApplicationId, MachineId, TenantId } from '@longarm/contract/ids';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { Caller } from '../../audit/ports.ts';
import { watchMachineActionRoute } from './watch-machine-action.ts';

const action: ActionRecord = {
  id: ActionId.parse('5f0e2b7a-3a51-4c5e-9a53-0d6a3a1c9b11'),
  tenantId: TenantId.parse('5f0e2b7a-3a51-4c5e-9a53-0d6a3a1c9b12'),
  machineId: MachineId.parse('ab'.repeat(20)),
  computerDnsName: 'host1',
  requestor: 'analyst',
  comment: 'why',
  source: 'PublicApi',
  createdAt: 0,
  updatedAt: 0,
  status: 'InProgress',
  reason: null,
  offered: true,
  holdsSlot: true,
  acceptedAt: 0,
  cancellation: null,
  approval: null,
  commands: [],
};

const caller: Caller = {
  kind: 'application',
  tenantId: action.tenantId,
  deviceGroups: 'all',
  subject: 's',
  principal: 's',
  applicationId: ApplicationId.parse(action.tenantId),
  name: 'n',
  origin: { address: null, requestId: 'r' },
  roles: [],
  scopes: [],
};

/** A watch over a row that can be read until `breaks` is called; the timer fires by hand. */
const watch = async () => {
  let get = async (): Promise<ActionRecord | null> => action;
  const timers = new Set<() => void>();
  const listeners = new Set<() => void>();
  const route = watchMachineActionRoute({
    findAction: async () => action,
    actions: { get: () => get() },
    hints: {
      onActionChanged: (_, listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    transfers: { of: () => new Map() },
    every: (_, call) => {
      timers.add(call);
      return () => timers.delete(call);
    },
  });
  const url = new URL('http://127.0.0.1/api/machineactions/x/events');
  const request = new Request(url.href);
  const answer = await route({ caller, request, url, params: { id: 'x' }, base: '', keepOpen: () => {} });
  const reader = answer.body?.getReader();
  if (reader === undefined) throw new Error('expected a stream');
  return {
    reader,
    leavesReach: () => {
      get = async () => null;
    },
    timers,
    listeners,
    breaks: () => {
      get = () => Promise.reject(new Error('the disk is gone'));
    },
  };
};

test('a row that cannot be read ends the watch, and nothing of it goes on', async () => {
  const { reader, timers, listeners, breaks } = await watch();
  expect(new TextDecoder().decode((await reader.read()).value)).toStartWith('event: action\n');
  breaks();
  for (const look of timers) look();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(': still here\n\n');
  await expect(reader.read()).rejects.toThrow('the disk is gone');
  expect([timers.size, listeners.size]).toEqual([0, 0]);
});

test('an action that leaves the reach of its watcher ends the watch, without a word of its end', async () => {
  const { reader, timers, listeners, leavesReach } = await watch();
  await reader.read();
  leavesReach();
  for (const look of timers) look();
  await reader.read();
  await expect(reader.read()).rejects.toThrow('out of the reach');
  expect([timers.size, listeners.size]).toEqual([0, 0]);
});

test('a watcher who leaves takes the timer along', async () => {
  const { reader, timers, listeners } = await watch();
  await reader.cancel();
  expect([timers.size, listeners.size]).toEqual([0, 0]);
});
