import { expect, test } from 'bun:test';
import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { ActionId } from '@longarm/contract/ids';
import type { Fact } from '@longarm/contract/wire/to-server';
import { newActionId, ordered, payloadOf, sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { fileDisk } from '../platform/log-disk.ts';
import { type Journal, openJournal } from './journal.ts';

const DAY_MS = 86_400_000;

const open = (folder: string): Journal => openJournal(fileDisk(join(folder, 'journal.log'))).journal;

const reopened = (folder: string, journal: Journal): Journal => {
  journal.close();
  return open(folder);
};

const accepted = (actionId: ActionId, at = 1_000): Fact => ({ kind: 'accepted', actionId, at });

const take = (journal: Journal, changes: Parameters<typeof payloadOf>[1] = {}) => {
  const payload = payloadOf(
    [ordered({ type: 'GetFile', path: '/a' }), ordered({ type: 'GetFile', path: '/b' })],
    changes,
  );
  journal.take({ payload, ticket: 't1', bootId: 'boot' }, accepted(payload.actionId));
  return payload;
};

const ended = (actionId: ActionId, at = 2_000): Fact => ({ kind: 'action-ended', actionId, at, how: 'done' });

const finished = (
  actionId: ActionId,
  index: number,
  outcome: 'Completed' | 'Failed' = 'Completed',
): Extract<Fact, { kind: 'command-finished' }> => ({
  kind: 'command-finished',
  actionId,
  index,
  at: 1_500,
  outcome,
  errors: [],
  exitCode: 0,
  results: [],
});

test('what happened is known after a restart', () => {
  using folder = temporaryFolder();
  const before = open(folder.path);
  const payload = take(before);
  const { actionId } = payload;
  before.report({ fact: { kind: 'command-started', actionId, index: 0, at: 1_100 } });
  const process = { index: 0, pid: 4_711, startTime: '99', bootId: 'boot' };
  before.note({ kind: 'process', actionId, process });
  const after = reopened(folder.path, before);
  expect(after.action(actionId)).toMatchObject({
    payload,
    next: 0,
    isStarted: true,
    process,
    ended: null,
    ticket: 't1',
  });
  expect(after.owed().map(({ sequence, fact }) => [sequence, fact.kind])).toEqual([
    [1, 'accepted'],
    [2, 'command-started'],
  ]);
  expect(after.lastCounter()).toEqual({ epoch: payload.epoch, counter: payload.counter });
  expect(after.serverTime()).toBe(1_100);
  after.close();
});

test('what is taken on and begun at once is one record, and there whole or not at all', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'journal.log');
  const journal = open(folder.path);
  const payload = payloadOf([ordered({ type: 'GetFile', path: '/a' })]);
  const { actionId } = payload;
  const started: Fact = { kind: 'command-started', actionId, index: 0, at: 1_000 };
  journal.take({ payload, ticket: 't1', bootId: 'boot' }, accepted(actionId), started);
  expect(journal.owed().map(({ sequence, fact }) => [sequence, fact.kind])).toEqual([
    [1, 'accepted'],
    [2, 'command-started'],
  ]);
  const whole = reopened(folder.path, journal);
  expect(whole.action(actionId)).toMatchObject({ next: 0, isStarted: true });
  whole.close();
  truncateSync(file, statSync(file).size - 1);
  const torn = open(folder.path);
  expect(torn.actions()).toEqual([]);
  expect(torn.owed()).toEqual([]);
  torn.close();
});

test('a finished command moves on to the next, and a failed one is remembered', () => {
  using folder = temporaryFolder();
  const journal = open(folder.path);
  const { actionId } = take(journal);
  journal.report({ fact: { kind: 'command-started', actionId, index: 0, at: 1 } }, { fact: finished(actionId, 0) });
  expect(journal.action(actionId)).toMatchObject({ next: 1, isStarted: false, hasFailed: false });
  journal.report({ fact: finished(actionId, 1, 'Failed') });
  expect(journal.action(actionId)).toMatchObject({ next: 2, hasFailed: true });
  journal.close();
});

test('sequences rise over restarts and acknowledgements, and are never used twice', () => {
  using folder = temporaryFolder();
  let journal = open(folder.path);
  const sequences: number[] = [];
  for (let round = 0; round < 4; round++) {
    journal.report({ fact: accepted(newActionId()) }, { fact: accepted(newActionId()) });
    sequences.push(...journal.owed().map(({ sequence }) => sequence));
    journal.note({ kind: 'acknowledged', sequence: sequences.at(-1) ?? 0 });
    journal = reopened(folder.path, journal);
    expect(journal.owed()).toEqual([]);
  }
  expect(sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  journal.close();
});

test('an acknowledgement covers what is before it and nothing after it', () => {
  using folder = temporaryFolder();
  const journal = open(folder.path);
  for (let count = 0; count < 3; count++) journal.report({ fact: accepted(newActionId()) });
  journal.note({ kind: 'acknowledged', sequence: 2 });
  expect(journal.owed().map(({ sequence }) => sequence)).toEqual([3]);
  expect(journal.nextOwed(0)?.sequence).toBe(3);
  expect(journal.nextOwed(3)).toBeNull();
  journal.close();
});

test('uploads, missed uploads and amended reports are remembered', () => {
  using folder = temporaryFolder();
  const before = open(folder.path);
  const { actionId } = take(before);
  const result = { stream: 'stdout', sha256: sha256Of('x'), sizeBytes: 1, name: 'stdout', cutBytes: 0 } as const;
  const sources = [{ stream: 'stdout', path: '/spool', isSpool: true }] as const;
  before.report({ fact: { ...finished(actionId, 0), results: [result] }, sources });
  before.note({ kind: 'uploaded', sequence: 2, stream: 'stdout' });
  let journal = reopened(folder.path, before);
  expect(journal.nextOwed(1)).toMatchObject({ uploaded: ['stdout'], sources });
  journal.note({ kind: 'missing', sequence: 2, streams: ['stdout'] });
  expect(journal.nextOwed(1)?.uploaded).toEqual([]);
  journal.amend({ sequence: 2, fact: finished(actionId, 0, 'Failed'), sources: [], uploaded: [] });
  journal = reopened(folder.path, journal);
  expect(journal.nextOwed(1)?.fact).toMatchObject({ outcome: 'Failed', results: [] });
  journal.close();
});

test('an action is unreported until it has ended and all of it is acknowledged', () => {
  using folder = temporaryFolder();
  const journal = open(folder.path);
  const { actionId } = take(journal);
  journal.note({ kind: 'acknowledged', sequence: 1 });
  expect(journal.unreported()).toEqual([actionId]);
  journal.report({ fact: ended(actionId) });
  expect(journal.unreported()).toEqual([actionId]);
  journal.note({ kind: 'acknowledged', sequence: 2 });
  expect(journal.unreported()).toEqual([]);
  journal.close();
});

test('the id of an ended action is recognised until its envelope has expired, and forgotten then', () => {
  using folder = temporaryFolder();
  let journal = open(folder.path);
  const { actionId, counter } = take(journal, { expiresAt: 10_000 });
  journal.report({ fact: ended(actionId) });
  journal.note({ kind: 'acknowledged', sequence: 2 });
  journal = reopened(folder.path, journal);
  expect(journal.action(actionId)).toMatchObject({ ended: 'done', payload: null });
  journal.note({ kind: 'server-time', at: 10_000 });
  journal = reopened(folder.path, journal);
  expect(journal.action(actionId)).toBeNull();
  expect(journal.lastCounter().counter).toBe(counter);
  journal.close();
});

test('a cancel of an action that was never heard of leaves a tombstone for a month', () => {
  using folder = temporaryFolder();
  let journal = open(folder.path);
  const actionId = newActionId();
  journal.report({ fact: { kind: 'action-ended', actionId, at: 0, how: 'unknown' } });
  journal.note({ kind: 'acknowledged', sequence: 1 });
  journal.note({ kind: 'server-time', at: 29 * DAY_MS });
  journal = reopened(folder.path, journal);
  expect(journal.action(actionId)).toMatchObject({ ended: 'unknown' });
  journal.note({ kind: 'server-time', at: 31 * DAY_MS });
  journal = reopened(folder.path, journal);
  expect(journal.action(actionId)).toBeNull();
  journal.close();
});

test('the file stays small however much happens, and what is owed survives every rewrite', () => {
  using folder = temporaryFolder();
  let journal = open(folder.path);
  const path = join(folder.path, 'journal.log');
  const { actionId } = take(journal, { expiresAt: 5 * DAY_MS });
  const ticket = 't'.repeat(2_000);
  let largest = 0;
  for (let count = 0; count < 3_000; count++) {
    journal.note({ kind: 'ticket', actionId, ticket: `${ticket}${count}` });
    largest = Math.max(largest, statSync(path).size);
  }
  expect(largest).toBeGreaterThan(1_000_000);
  expect(largest).toBeLessThan(1_100_000);
  journal = reopened(folder.path, journal);
  expect(journal.owed().map(({ sequence }) => sequence)).toEqual([1]);
  expect(journal.action(actionId)?.ticket).toBe(`${ticket}2999`);
  journal.close();
});

test('a listener hears of each further report', () => {
  using folder = temporaryFolder();
  const journal = open(folder.path);
  let heard = 0;
  journal.onOwed(() => heard++);
  take(journal);
  journal.report({ fact: ended(newActionId()) });
  journal.note({ kind: 'acknowledged', sequence: 1 });
  expect(heard).toBe(2);
  journal.close();
});
