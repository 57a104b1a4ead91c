import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { ActionId } from '@longarm/contract/ids';
import { MachineId, TenantId } from '@longarm/contract/ids';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import { silentLog } from '../../test/command-world.ts';
import {
  HEADER,
  MACHINE,
  newActionId,
  ordered,
  payloadOf,
  seal,
  sha256Of,
  signingKey,
  TENANT,
} from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { fileDisk } from '../platform/log-disk.ts';
import { type Inbox, inbox } from './inbox.ts';
import { offerMemo } from './offer-memo.ts';

const NOW = 1_800_000_000_000;
const key = signingKey();
const file = { sha256: sha256Of('x'), sizeBytes: 1 };
const collect = ordered({ type: 'GetFile', path: '/etc/hostname' });

let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let begun: ActionId[];
let running: Set<ActionId>;
let isIdle: boolean;
let cancelled: ActionId[];
let door: Inbox;

beforeEach(() => {
  folder = temporaryFolder();
  ({ journal } = openJournal(fileDisk(join(folder.path, 'journal.log'))));
  begun = [];
  cancelled = [];
  running = new Set();
  isIdle = false;
  door = inbox({
    journal,
    identity: { machineId: MACHINE, tenantId: TENANT, envelopeKey: key.publicKey },
    bootId: 'boot',
    now: () => NOW,
    log: silentLog,
    memo: offerMemo(),
    isIdle: () => isIdle,
    begin: (actionId) => begun.push(actionId),
    cancelRun: (actionId) => {
      cancelled.push(actionId);
      return running.has(actionId);
    },
  });
});

afterEach(() => {
  journal.close();
  folder[Symbol.dispose]();
});

const offer = (payload: EnvelopePayload, changes: { readonly envelope?: string; readonly actionId?: ActionId } = {}) =>
  door.offer({
    type: 'offer',
    actionId: payload.actionId,
    envelope: seal(payload, key.privateKey),
    ticket: 'ticket',
    ...changes,
  });

const told = () => journal.owed().map(({ fact }) => fact);
const acknowledgeAll = () => journal.note({ kind: 'acknowledged', sequence: 1_000 });
const cancelOf = (actionId: ActionId) => ({ type: 'cancel', actionId, reason: 'enough', ticket: 'later' }) as const;

const expectRefused = (actionId: ActionId, reason: string) => {
  expect(told()).toEqual([{ kind: 'refused', actionId, at: NOW, reason: expect.stringContaining(reason) }]);
  expect(begun).toEqual([]);
};

test('a good offer is journaled, accepted and begun once', () => {
  const payload = payloadOf([collect]);
  offer(payload);
  expect(told()).toEqual([{ kind: 'accepted', actionId: payload.actionId, at: NOW }]);
  expect(journal.action(payload.actionId)).toMatchObject({ payload, ticket: 'ticket', bootId: 'boot' });
  expect(begun).toEqual([payload.actionId]);
});

test('on an idle device its first command is started in the same record', () => {
  isIdle = true;
  const payload = payloadOf([collect, collect]);
  const { actionId } = payload;
  offer(payload);
  expect(told()).toEqual([
    { kind: 'accepted', actionId, at: NOW },
    { kind: 'command-started', actionId, index: 0, at: NOW },
  ]);
  expect(journal.action(actionId)).toMatchObject({ next: 0, isStarted: true });
  expect(begun).toEqual([actionId]);
});

describe('refusals', () => {
  test('signed by another key', () => {
    const payload = payloadOf([collect]);
    offer(payload, { envelope: seal(payload, signingKey().privateKey) });
    expectRefused(payload.actionId, 'not signed by the key');
  });
  test('changed after it was signed', () => {
    const payload = payloadOf([collect]);
    const [header, , signature] = seal(payload, key.privateKey).split('.');
    const other = Buffer.from(JSON.stringify({ ...payload, maxGetBytes: 7 })).toString('base64url');
    offer(payload, { envelope: `${header}.${other}.${signature}` });
    expectRefused(payload.actionId, 'not signed by the key');
  });
  test.each([
    { ...HEADER, alg: 'none' },
    { ...HEADER, typ: 'JWT' },
    { ...HEADER, crit: ['exp'] },
  ])('a header of another kind: %p', (header) => {
    const payload = payloadOf([collect]);
    offer(payload, { envelope: seal(payload, key.privateKey, header) });
    expectRefused(payload.actionId, 'header');
  });
  test('no envelope at all', () => {
    const payload = payloadOf([collect]);
    offer(payload, { envelope: 'rubbish' });
    expectRefused(payload.actionId, 'JWS');
  });
  test('a payload that this agent does not understand', () => {
    const payload = payloadOf([collect]);
    offer(payload, { envelope: seal({ ...payload, version: 2 }, key.privateKey) });
    expectRefused(payload.actionId, 'version');
  });
  test('of another action than the offer', () => {
    const actionId = newActionId();
    offer(payloadOf([collect]), { actionId });
    expectRefused(actionId, 'another action');
  });
  test('for another machine', () => {
    const payload = payloadOf([collect], { machineId: MachineId.parse('cd'.repeat(20)) });
    offer(payload);
    expectRefused(payload.actionId, 'another machine');
  });
  test('of another tenant', () => {
    const payload = payloadOf([collect], { tenantId: TenantId.parse(newActionId()) });
    offer(payload);
    expectRefused(payload.actionId, 'another tenant');
  });
  test('expired by this very millisecond', () => {
    const payload = payloadOf([collect], { expiresAt: NOW });
    offer(payload);
    expectRefused(payload.actionId, 'expired');
  });
  test('a library command without a pinned file', () => {
    const payload = payloadOf([ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' })]);
    offer(payload);
    expectRefused(payload.actionId, 'no library file is pinned');
  });
  test('a name that leaves the folder, signed or not', () => {
    const command = { type: 'PutFile', fileName: '../../etc/passwd', overwrite: true, keep: false } as const;
    const payload = payloadOf([ordered(command, file)]);
    offer(payload);
    expectRefused(payload.actionId, 'without path parts');
  });
});

test('one millisecond before its expiry an envelope is good', () => {
  const payload = payloadOf([collect], { expiresAt: NOW + 1 });
  offer(payload);
  expect(begun).toEqual([payload.actionId]);
});

describe('the counter', () => {
  const first = { epoch: 2, counter: 5 };
  test.each([
    { epoch: 2, counter: 5, isTaken: false },
    { epoch: 2, counter: 4, isTaken: false },
    { epoch: 1, counter: 99, isTaken: false },
    { epoch: 2, counter: 6, isTaken: true },
    { epoch: 3, counter: 1, isTaken: true },
  ])('after (2, 5): %p', ({ isTaken, ...next }) => {
    offer(payloadOf([collect], first));
    begun = [];
    const payload = payloadOf([collect], next);
    offer(payload);
    expect(begun).toEqual(isTaken ? [payload.actionId] : []);
  });
});

test('the same offer again is accepted again, with its newer ticket, and not begun again', () => {
  const payload = payloadOf([collect]);
  offer(payload);
  acknowledgeAll();
  door.offer({ type: 'offer', actionId: payload.actionId, envelope: seal(payload, key.privateKey), ticket: 'newer' });
  expect(told()).toEqual([{ kind: 'accepted', actionId: payload.actionId, at: NOW }]);
  expect(begun).toHaveLength(1);
  expect(journal.action(payload.actionId)?.ticket).toBe('newer');
});

test('the same offer while its acceptance is still owed says nothing twice', () => {
  const payload = payloadOf([collect]);
  offer(payload);
  offer(payload);
  expect(told()).toHaveLength(1);
});

test('an offer of what has ended here is told its end, and not begun again', () => {
  const payload = payloadOf([collect]);
  offer(payload);
  journal.report({ fact: { kind: 'action-ended', actionId: payload.actionId, at: NOW, how: 'done' } });
  acknowledgeAll();
  offer(payload);
  expect(told()).toEqual([{ kind: 'action-ended', actionId: payload.actionId, at: NOW, how: 'done' }]);
  expect(begun).toHaveLength(1);
});

test('more waiting actions than the bound are refused', () => {
  for (let count = 0; count < 32; count++) offer(payloadOf([collect]));
  const beyond = payloadOf([collect]);
  offer(beyond);
  expect(begun).toHaveLength(32);
  expect(told().at(-1)).toMatchObject({ kind: 'refused', actionId: beyond.actionId });
});

describe('cancel', () => {
  test('of a running action is heard, and its end is told from where it runs', () => {
    const payload = payloadOf([collect]);
    offer(payload);
    running.add(payload.actionId);
    door.cancel(cancelOf(payload.actionId));
    expect(told().map(({ kind }) => kind)).toEqual(['accepted', 'cancel-heard']);
    expect(cancelled).toEqual([payload.actionId]);
    expect(journal.action(payload.actionId)?.ticket).toBe('later');
  });
  test('repeated while it is being stopped says nothing more', () => {
    const payload = payloadOf([collect]);
    offer(payload);
    running.add(payload.actionId);
    door.cancel(cancelOf(payload.actionId));
    door.cancel(cancelOf(payload.actionId));
    expect(told()).toHaveLength(2);
  });
  test('of a waiting action ends it', () => {
    const payload = payloadOf([collect]);
    offer(payload);
    door.cancel(cancelOf(payload.actionId));
    expect(told().slice(1)).toEqual([
      { kind: 'cancel-heard', actionId: payload.actionId, at: NOW },
      { kind: 'action-ended', actionId: payload.actionId, at: NOW, how: 'cancelled' },
    ]);
  });
  test('of an unknown action is answered, and its offer is never begun', () => {
    const payload = payloadOf([collect]);
    door.cancel(cancelOf(payload.actionId));
    expect(told()).toEqual([{ kind: 'action-ended', actionId: payload.actionId, at: NOW, how: 'unknown' }]);
    offer(payload);
    expect(begun).toEqual([]);
  });
  test('of an ended action repeats its end once nothing is owed', () => {
    const payload = payloadOf([collect]);
    offer(payload);
    door.cancel(cancelOf(payload.actionId));
    door.cancel(cancelOf(payload.actionId));
    expect(told()).toHaveLength(3);
    acknowledgeAll();
    door.cancel(cancelOf(payload.actionId));
    expect(told()).toEqual([{ kind: 'action-ended', actionId: payload.actionId, at: NOW, how: 'cancelled' }]);
  });
});

test('a resume brings a fresh ticket', () => {
  const payload = payloadOf([collect]);
  offer(payload);
  door.resume({ type: 'resume', actionId: payload.actionId, ticket: 'fresh' });
  expect(journal.action(payload.actionId)?.ticket).toBe('fresh');
});
