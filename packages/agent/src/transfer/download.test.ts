import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { realAfter, stopper, transferIo } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { download } from './download.ts';

const CONTENT = crypto.getRandomValues(new Uint8Array(50_000));

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let ranges: (string | null)[];
let refusedTickets: number;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  ranges = [];
  refusedTickets = 0;
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const target = () => join(folder.path, 'file');

const fetchIt = (changes: Partial<Parameters<typeof download>[1]> = {}) => {
  const file = server.addFile(CONTENT);
  return download(transferIo(server), {
    from: `/agent/v1/actions/a/files/${file.sha256}`,
    to: target(),
    ...file,
    ticket: { current: () => 'the-ticket', refused: () => refusedTickets++ },
    stop: stopper().signal,
    ...changes,
  });
};

/** Answers the first requests as told, and notes all ranges. */
const answering = (...answers: readonly ((request: Request) => Response)[]) => {
  const left = [...answers];
  server.settings.intercept = (request) => {
    ranges.push(request.headers.get('range'));
    return left.shift()?.(request) ?? null;
  };
};

/** The first bytes, and nothing more of what was announced. */
const broken = (bytes: number) => () =>
  new Response(CONTENT.slice(0, bytes), {
    status: 206,
    headers: { 'Content-Range': `bytes 0-${CONTENT.length - 1}/${CONTENT.length}` },
  });

const status = (code: number) => () => new Response(null, { status: code });

test('the file comes whole, under the ticket, for its owner alone', async () => {
  let authorization: string | null = null;
  answering((request) => {
    authorization = request.headers.get('authorization');
    return new Response(CONTENT.slice());
  });
  expect(await fetchIt()).toEqual({ kind: 'done' });
  expect(readFileSync(target())).toEqual(Buffer.from(CONTENT));
  expect(statSync(target()).mode & 0o077).toBe(0);
  expect<string | null>(authorization).toBe('Bearer the-ticket');
});

test('an empty file needs no request', async () => {
  answering();
  expect(await fetchIt({ sha256: sha256Of(''), sizeBytes: 0 })).toEqual({ kind: 'done' });
  expect(ranges).toEqual([]);
  expect(statSync(target()).size).toBe(0);
});

test('after a cut it goes on where it was', async () => {
  answering(broken(20_000));
  expect(await fetchIt()).toEqual({ kind: 'done' });
  expect(ranges).toEqual(['bytes=0-49999', 'bytes=20000-49999']);
  expect(readFileSync(target())).toEqual(Buffer.from(CONTENT));
});

test.each([500, 503, 429, 408])('HTTP %d is tried again', async (code) => {
  answering(status(code), status(code));
  expect(await fetchIt()).toEqual({ kind: 'done' });
  expect(ranges).toHaveLength(3);
});

test('a refused ticket is reported, and the next one tried', async () => {
  answering(status(401));
  expect(await fetchIt()).toEqual({ kind: 'done' });
  expect(refusedTickets).toBe(1);
});

test.each([403, 404, 410])('HTTP %d is the end', async (code) => {
  answering(status(code));
  expect(await fetchIt()).toEqual({ kind: 'failed', sentence: expect.stringContaining(`HTTP ${code}`) });
  expect(ranges).toHaveLength(1);
});

describe('what is not the file that was pinned', () => {
  test('other bytes of the same length', async () => {
    answering(() => new Response(new Uint8Array(CONTENT.length)));
    expect(await fetchIt()).toEqual({ kind: 'failed', sentence: expect.stringContaining('SHA-256') });
  });
  test('more bytes than were announced are not even kept', async () => {
    answering(() => new Response(new Uint8Array(3 * CONTENT.length)));
    expect(await fetchIt()).toMatchObject({ kind: 'failed' });
    expect(statSync(target()).size).toBe(CONTENT.length);
  });
  test('a range from elsewhere', async () => {
    answering(() => new Response('xx', { status: 206, headers: { 'Content-Range': 'bytes 7-8/9' } }));
    expect(await fetchIt()).toMatchObject({ kind: 'failed', sentence: expect.stringContaining('bytes from 0 on') });
  });
});

test('it stops when told, and says what stood in its way', async () => {
  const { signal, stop } = stopper();
  server.settings.intercept = (request) => {
    ranges.push(request.headers.get('range'));
    return new Response(null, { status: 503 });
  };
  const ending = fetchIt({ stop: signal });
  await until('some attempts', () => ranges.length > 2);
  stop('timed-out');
  expect(await ending).toEqual({ kind: 'stopped', fault: 'HTTP 503' });
});

test('a server that is away is waited for', async () => {
  const url = server.url;
  await server[Symbol.asyncDispose]();
  const { signal, stop } = stopper();
  const file = { sha256: sha256Of(CONTENT), sizeBytes: CONTENT.length };
  const io = transferIo({ url });
  let attempts = 0;
  const request: typeof io.request = (path, init) => {
    if (++attempts === 3) stop('cancelled');
    return io.request(path, init);
  };
  const ticket = { current: () => '', refused: () => {} };
  const ending = download({ ...io, request }, { from: '/x', to: target(), ...file, ticket, stop: signal });
  expect(await ending).toMatchObject({ kind: 'stopped', fault: expect.stringContaining('ECONNREFUSED') });
});

test('nothing for two heartbeats: it goes on where it was', async () => {
  let given = 0;
  const hanging = () => {
    const pull = (controller: ReadableStreamDefaultController) => {
      if (given === 0) controller.enqueue(CONTENT.slice(0, 20_000));
      given = 20_000;
      // and then nothing, for as long as anybody waits
      return new Promise<void>(() => {});
    };
    const headers = { 'Content-Range': `bytes 0-${CONTENT.length - 1}/${CONTENT.length}` };
    return new Response(new ReadableStream({ pull }), { status: 206, headers });
  };
  answering(hanging);
  const file = server.addFile(CONTENT);
  const io = { ...transferIo(server), after: realAfter, heartbeatMs: () => 40 };
  const ticket = { current: () => '', refused: () => {} };
  const from = `/agent/v1/actions/a/files/${file.sha256}`;
  expect(await download(io, { from, to: target(), ...file, ticket, stop: stopper().signal })).toEqual({ kind: 'done' });
  expect(ranges).toEqual(['bytes=0-49999', 'bytes=20000-49999']);
  expect(readFileSync(target())).toEqual(Buffer.from(CONTENT));
});
