import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { INLINE_RESULT_BYTES } from '@longarm/contract/limits';
import { WHOLE_UPLOAD_BYTES } from '@longarm/contract/wire/protocol';
import type { Fact, Report } from '@longarm/contract/wire/to-server';
import { silentLog } from '../../test/command-world.ts';
import { newActionId, sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { fileDisk } from '../platform/log-disk.ts';
import { nextTurn } from '../platform/timers.ts';
import { type Delivery, type Outbox, outbox } from './outbox.ts';

const actionId = newActionId();

let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let sent: Report[];
let delivered: string[];
let removed: string[];
let turns: number;
let deliver: (path: string, stop: AbortSignal) => Promise<Delivery>;
let spooled: Map<string, Uint8Array>;
let box: Outbox;

beforeEach(() => {
  folder = temporaryFolder();
  ({ journal } = openJournal(fileDisk(join(folder.path, 'journal.log'))));
  sent = [];
  delivered = [];
  removed = [];
  spooled = new Map();
  turns = 0;
  deliver = async () => ({ kind: 'delivered' });
  box = outbox({
    journal,
    deliver: ({ source, stop }) => {
      const path = source?.path ?? '';
      delivered.push(path);
      return deliver(path, stop);
    },
    turn: async () => {
      turns++;
      await nextTurn();
    },
    readSpool: (path) => spooled.get(path) ?? null,
    removeSpool: (path) => removed.push(path),
    log: silentLog,
    onFault: (fault) => {
      throw fault;
    },
  });
});
afterEach(() => {
  box.disconnected();
  journal.close();
  folder[Symbol.dispose]();
});

const connect = () => box.connected((report) => sent.push(report));
const sequences = () => sent.map(({ sequence }) => sequence);
const tell = () => journal.report({ fact: { kind: 'accepted', actionId, at: 1 } });
const sentAre = (expected: readonly number[]) =>
  until(`the reports ${expected.join()}`, () => sequences().join() === expected.join());

const result = (stream: 'stdout' | 'stderr') =>
  ({ stream, sha256: sha256Of(stream), sizeBytes: 6, name: stream, cutBytes: 0 }) as const;

const finished: Extract<Fact, { kind: 'command-finished' }> = {
  kind: 'command-finished',
  actionId,
  index: 0,
  at: 1,
  outcome: 'Completed',
  errors: [],
  exitCode: 0,
  results: [result('stdout'), result('stderr')],
};

const tellFinished = () =>
  journal.report({
    fact: finished,
    sources: [
      { stream: 'stdout', path: '/spool/out', isSpool: true },
      { stream: 'stderr', path: '/collected', isSpool: false },
    ],
  });

test('what is owed goes out in order, before and after the connection is there', async () => {
  tell();
  tell();
  connect();
  await sentAre([1, 2]);
  tell();
  await sentAre([1, 2, 3]);
});

test('what was not acknowledged goes out again on the next connection, and nothing else', async () => {
  tell();
  tell();
  connect();
  await sentAre([1, 2]);
  box.acknowledge(1);
  box.disconnected();
  connect();
  await sentAre([1, 2, 2]);
});

test('what became true in one turn goes out after it', async () => {
  connect();
  tell();
  await Promise.resolve();
  tell();
  expect(sent).toEqual([]);
  await sentAre([1, 2]);
  expect(turns).toBe(1);
});

test('nothing goes out without a connection', async () => {
  connect();
  box.disconnected();
  tell();
  // the next connection is served after the last one has let go
  const later: Report[] = [];
  box.connected((report) => later.push(report));
  await until('a report on the next connection', () => later.length === 1);
  expect(sent).toEqual([]);
});

test('not more than so many are on their way at once', async () => {
  for (let count = 0; count < 70; count++) tell();
  let acknowledged = 0;
  let most = 0;
  box.connected((report) => {
    sent.push(report);
    most = Math.max(most, sent.length - acknowledged);
  });
  await until('64 reports', () => sent.length >= 64);
  acknowledged = 10;
  box.acknowledge(acknowledged);
  await until('the rest', () => sent.length === 70);
  expect(most).toBe(64);
});

test('results go before the report that speaks of them, once', async () => {
  tellFinished();
  connect();
  await sentAre([1]);
  expect(delivered).toEqual(['/spool/out', '/collected']);
  box.disconnected();
  connect();
  await sentAre([1, 1]);
  expect(delivered).toHaveLength(2);
});

test('an acknowledged report lets go of its spool files, not of what was collected', async () => {
  tellFinished();
  tell();
  connect();
  await sentAre([1, 2]);
  expect(removed).toEqual([]);
  box.acknowledge(1);
  expect(removed).toEqual(['/spool/out']);
  box.acknowledge(1);
  expect(removed).toHaveLength(1);
});

test('an upload that the end of the connection stopped is done again on the next', async () => {
  let isAway = true;
  deliver = (_, stop) =>
    isAway
      ? new Promise((resolve) => stop.addEventListener('abort', () => resolve({ kind: 'stopped' })))
      : Promise.resolve({ kind: 'delivered' });
  tellFinished();
  connect();
  await until('both uploads on their way', () => delivered.length === 2);
  isAway = false;
  box.disconnected();
  connect();
  await sentAre([1]);
  expect(sent[0]?.fact).toEqual(finished);
});

test('small outputs go with their report; one that the server misses is uploaded after that', async () => {
  const bytes = new TextEncoder().encode('said');
  for (const path of ['/spool/out', '/spool/err']) spooled.set(path, bytes);
  const results = finished.results.map((one) => ({ ...one, sizeBytes: bytes.length }));
  const fact = { ...finished, results };
  journal.report({
    fact,
    sources: [
      { stream: 'stdout', path: '/spool/out', isSpool: true },
      { stream: 'stderr', path: '/spool/err', isSpool: true },
    ],
  });
  connect();
  await sentAre([1]);
  const content = Buffer.from(bytes).toString('base64');
  expect(sent[0]?.contents).toEqual([
    { stream: 'stdout', content },
    { stream: 'stderr', content },
  ]);
  expect(delivered).toEqual([]);
  box.missingUploads({ type: 'missing-uploads', sequence: 1, actionId, index: 0, streams: ['stderr'] });
  await sentAre([1, 1]);
  expect(delivered).toContain('/spool/err');
  expect(sent[1]?.contents).toBeUndefined();
});

test('what the journal keeps itself is not looked for in its file', async () => {
  const content = Buffer.from('stdout').toString('base64');
  const results = [result('stdout')];
  journal.report({
    fact: { ...finished, results },
    sources: [{ stream: 'stdout', path: '/spool/gone', isSpool: true, content }],
  });
  connect();
  await sentAre([1]);
  expect(sent[0]?.contents).toEqual([{ stream: 'stdout', content }]);
  expect(delivered).toEqual([]);
});

test('outputs longer than the bound together, and those that cannot be read, are uploaded', async () => {
  tellFinished();
  spooled.set('/spool/out', new Uint8Array(INLINE_RESULT_BYTES));
  spooled.set('/collected', new Uint8Array(1));
  const long = { ...finished, results: [{ ...result('stdout'), sizeBytes: INLINE_RESULT_BYTES + 1 }] };
  journal.report({ fact: long, sources: [{ stream: 'stdout', path: '/spool/long', isSpool: true }] });
  connect();
  await sentAre([1, 2]);
  expect(sent.map(({ contents }) => contents)).toEqual([undefined, undefined]);
  // a collected file is no spool, so it is not taken for one
  expect(delivered).toEqual(['/spool/out', '/collected', '/spool/long']);
});

test('small results go together, a large one alone', async () => {
  const onTheirWay: string[] = [];
  const arrive: (() => void)[] = [];
  deliver = (path) => {
    onTheirWay.push(path);
    return new Promise((resolve) => arrive.push(() => resolve({ kind: 'delivered' })));
  };
  const large = { ...result('stdout'), sizeBytes: WHOLE_UPLOAD_BYTES + 1 };
  const sources = [
    { stream: 'stdout', path: '/large', isSpool: true },
    { stream: 'stderr', path: '/small', isSpool: true },
  ] as const;
  journal.report({ fact: { ...finished, results: [large, { ...large, stream: 'stderr' }] }, sources });
  tellFinished();
  connect();
  for (const expected of [['/large'], ['/large', '/small'], ['/large', '/small', '/spool/out', '/collected']]) {
    await until(expected.join(), () => onTheirWay.join() === expected.join());
    if (expected.length < 4) arrive.shift()?.();
  }
  for (const done of arrive.reverse()) done();
  await sentAre([1, 2]);
});

describe('a result that can never be delivered', () => {
  test('takes no other with it that cannot be either', async () => {
    deliver = async (path) => ({ kind: 'impossible', sentence: `${path} is gone` });
    tellFinished();
    connect();
    await sentAre([1]);
    expect(sent[0]?.fact).toEqual({
      ...finished,
      outcome: 'Failed',
      errors: ['/spool/out is gone', '/collected is gone'],
      results: [],
    });
  });

  test('does not hold up what is behind it, and its command is told as failed', async () => {
    deliver = async (path) =>
      path === '/spool/out' ? { kind: 'impossible', sentence: 'stdout: HTTP 404' } : { kind: 'delivered' };
    tellFinished();
    tell();
    connect();
    await sentAre([1, 2]);
    expect(sent[0]?.fact).toEqual({
      ...finished,
      outcome: 'Failed',
      errors: ['stdout: HTTP 404'],
      results: [result('stderr')],
    });
  });
});

describe('uploads that the server misses', () => {
  const missing = (...streams: ('stdout' | 'stderr' | 'file')[]) =>
    box.missingUploads({ type: 'missing-uploads', sequence: 1, actionId, index: 0, streams });

  test('are sent again, then the report and those after it', async () => {
    tellFinished();
    tell();
    connect();
    await sentAre([1, 2]);
    missing('stderr');
    await sentAre([1, 2, 1, 2]);
    expect(delivered).toEqual(['/spool/out', '/collected', '/collected']);
  });

  test('again and again: the report is told without them', async () => {
    tellFinished();
    connect();
    for (let round = 1; round <= 6; round++) {
      await until(`report ${round}`, () => sent.length === round);
      missing('stdout');
    }
    await until('the last report', () => sent.length === 7);
    expect(sent.at(-1)?.fact).toMatchObject({ outcome: 'Failed', results: [result('stderr')] });
  });

  test('that this device never had: the command is told as failed', async () => {
    tellFinished();
    connect();
    await sentAre([1]);
    missing('file');
    await sentAre([1, 1]);
    expect(sent.at(-1)?.fact).toMatchObject({ outcome: 'Failed', errors: [expect.stringContaining('file')] });
  });

  test('of a report that is no longer owed are nobody’s business', async () => {
    tellFinished();
    connect();
    await sentAre([1]);
    box.acknowledge(1);
    missing('stdout');
    tell();
    await sentAre([1, 2]);
    expect(delivered).toHaveLength(2);
  });
});
