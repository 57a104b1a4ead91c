import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { WHOLE_UPLOAD_BYTES } from '@longarm/contract/wire/protocol';
import { realAfter, stopper, transferIo } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import type { TransferIo } from './transfer-io.ts';
import { type Upload, upload } from './upload.ts';

const CONTENT = crypto.getRandomValues(new Uint8Array(65_536 * 40));
const PATH = '/agent/v1/actions/a/commands/0/results/file';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let methods: string[];
let refusedTickets: number;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  methods = [];
  refusedTickets = 0;
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const source = () => join(folder.path, 'source');

const send = async (content: Uint8Array, changes: Partial<Upload & TransferIo> = {}) => {
  writeFileSync(source(), content);
  const file = await open(source(), 'r');
  const { after, heartbeatMs } = { ...transferIo(server), ...changes };
  try {
    return await upload(
      { ...transferIo(server), after, heartbeatMs },
      {
        to: PATH,
        file,
        sizeBytes: content.length,
        ticket: { current: () => 'the-ticket', refused: () => refusedTickets++ },
        stop: stopper().signal,
        ...changes,
      },
    );
  } finally {
    await file.close();
  }
};

type Answer = (request: Request) => Response | null | Promise<Response | null>;

/** Meets requests in their order; what is not met goes to the upload door. */
const meeting = (answer: (request: Request, nth: number) => ReturnType<Answer>) => {
  server.settings.intercept = (request) => {
    methods.push(request.method);
    return answer(request, methods.length);
  };
};

const stored = () => server.uploads.get(PATH)?.bytes;
const status = (code: number, headers = {}) => new Response(null, { status: code, headers });

/** The server keeps the first half of what this PATCH brings, and the answer never arrives. */
const keepHalf = async (request: Request): Promise<Response> => {
  const body = new Uint8Array(await request.arrayBuffer());
  const kept = server.uploads.get(PATH);
  if (kept !== undefined) kept.bytes = Buffer.concat([kept.bytes, body.subarray(0, body.length / 2)]);
  return status(502);
};

test('the file arrives whole, and its hash is told', async () => {
  meeting(() => null);
  expect(await send(CONTENT)).toEqual({ kind: 'uploaded', sha256: sha256Of(CONTENT) });
  expect(stored()).toEqual(Buffer.from(CONTENT));
  expect(methods[0]).toBe('POST');
  expect(methods).not.toContain('HEAD');
});

test('each request proves the device’s key for its own method, path, place and ticket', async () => {
  const proofs: (string | null)[] = [];
  meeting((request, nth) => {
    proofs.push(request.headers.get('longarm-proof'));
    return nth === 2 ? status(502) : null;
  });
  await send(CONTENT.slice(0, 10));
  expect(proofs).toEqual([
    `POST ${PATH} 10 the-ticket`,
    `PATCH ${PATH} 0 the-ticket`,
    `HEAD ${PATH}  the-ticket`,
    `PATCH ${PATH} 0 the-ticket`,
  ]);
});

test('an empty file is created and nothing more', async () => {
  meeting(() => null);
  expect(await send(new Uint8Array())).toEqual({ kind: 'uploaded', sha256: sha256Of('') });
  expect(methods).toEqual(['POST']);
});

test('a small file comes with the request that opens its upload; a server that does not take it there gets it again', async () => {
  const bodies: number[] = [];
  server.settings.intercept = async (request) => {
    bodies.push((await request.clone().arrayBuffer()).byteLength);
    methods.push(request.method);
    return null;
  };
  const small = CONTENT.slice(0, WHOLE_UPLOAD_BYTES);
  expect(await send(small)).toEqual({ kind: 'uploaded', sha256: sha256Of(small) });
  expect(methods).toEqual(['POST', 'PATCH']);
  expect(bodies).toEqual([WHOLE_UPLOAD_BYTES, WHOLE_UPLOAD_BYTES]);
  server.uploads.clear();
  server.settings.intercept = () =>
    status(201, { 'upload-offset': '10', 'longarm-sha256': sha256Of(small.slice(0, 10)) });
  expect(await send(small.slice(0, 10))).toEqual({ kind: 'uploaded', sha256: sha256Of(small.slice(0, 10)) });
  server.settings.intercept = (request) => {
    expect(request.headers.get('content-length') ?? '0').toBe('0');
    return status(403);
  };
  expect(await send(CONTENT.slice(0, WHOLE_UPLOAD_BYTES + 1))).toMatchObject({ kind: 'refused' });
});

test('after a cut it asks where it is and goes on there', async () => {
  meeting((request, nth) => (nth === 2 ? keepHalf(request) : null));
  expect(await send(CONTENT)).toEqual({ kind: 'uploaded', sha256: sha256Of(CONTENT) });
  expect(methods.slice(0, 3)).toEqual(['POST', 'PATCH', 'HEAD']);
  expect(stored()).toEqual(Buffer.from(CONTENT));
});

test('what the server has from an earlier run is not sent again, and still proven', async () => {
  server.uploads.set(PATH, { length: CONTENT.length, bytes: CONTENT.slice(0, 1_234_567) });
  const offsets: (string | null)[] = [];
  meeting((request) => {
    offsets.push(request.headers.get('upload-offset'));
    return null;
  });
  expect(await send(CONTENT)).toEqual({ kind: 'uploaded', sha256: sha256Of(CONTENT) });
  expect(offsets[1]).toBe('1234567');
});

test('an offset that differs is asked for', async () => {
  meeting((_, nth) => (nth === 2 ? status(409) : null));
  expect(await send(CONTENT)).toMatchObject({ kind: 'uploaded' });
  expect(methods.slice(0, 3)).toEqual(['POST', 'PATCH', 'HEAD']);
});

test('an upload that the server lost is begun anew', async () => {
  meeting((_, nth) => {
    if (nth === 2) return status(500);
    if (nth === 3) server.uploads.clear();
    return null;
  });
  expect(await send(CONTENT)).toEqual({ kind: 'uploaded', sha256: sha256Of(CONTENT) });
  expect(methods.slice(0, 4)).toEqual(['POST', 'PATCH', 'HEAD', 'POST']);
});

test.each([400, 403, 404, 410, 413])('HTTP %d is the end: the server does not want it', async (code) => {
  meeting(() => status(code));
  expect(await send(CONTENT)).toEqual({ kind: 'refused', sentence: expect.stringContaining(`HTTP ${code}`) });
  expect(methods).toHaveLength(1);
});

test.each([401, 429, 500, 507])('HTTP %d is tried again', async (code) => {
  meeting((_, nth) => (nth === 1 ? status(code) : null));
  expect(await send(CONTENT)).toMatchObject({ kind: 'uploaded' });
  expect(refusedTickets).toBe(code === 401 ? 1 : 0);
});

test('other bytes under this name on the server are not taken for these', async () => {
  const other = new Uint8Array(CONTENT.length);
  server.uploads.set(PATH, { length: other.length, bytes: other });
  expect(await send(CONTENT)).toEqual({ kind: 'refused', sentence: expect.stringContaining(sha256Of(other)) });
});

describe('the file changes meanwhile', () => {
  test('what is appended is not collected', async () => {
    expect(await send(CONTENT, { sizeBytes: 70_000 })).toEqual({
      kind: 'uploaded',
      sha256: sha256Of(CONTENT.subarray(0, 70_000)),
    });
  });
  test('one that shrinks fails, and says at which length', async () => {
    meeting((request) => {
      if (request.method === 'PATCH') truncateSync(source(), 100_000);
      return null;
    });
    const end = await send(CONTENT);
    expect(end).toEqual({ kind: 'unreadable', sentence: expect.stringContaining('shrank') });
  });
});

test('it stops when told, also in the middle of a piece', async () => {
  const { signal, stop } = stopper();
  meeting((request) => (request.method === 'PATCH' ? new Promise<Response>(() => {}) : null));
  const ending = send(CONTENT, { stop: signal });
  await until('a piece on its way', () => methods.includes('PATCH'));
  stop('cancelled');
  expect(await ending).toMatchObject({ kind: 'stopped' });
});

describe('silence', () => {
  const SMALL = CONTENT.slice(0, 200_000);
  const brief = { after: realAfter, heartbeatMs: () => 40 };
  const never = () => new Promise<Response>(() => {});
  const heads = () => methods.filter((method) => method === 'HEAD').length;

  test('a server that has everything and syncs it for long is waited for', async () => {
    const synced = Promise.withResolvers<void>();
    meeting(async (request) => {
      if (request.method === 'HEAD') {
        if (heads() === 4) synced.resolve();
        return status(200, { 'upload-offset': String(SMALL.length) });
      }
      if (request.method === 'PATCH') await synced.promise;
      return null;
    });
    expect(await send(SMALL, brief)).toEqual({ kind: 'uploaded', sha256: sha256Of(SMALL) });
    expect(methods.filter((method) => method === 'PATCH')).toHaveLength(1);
  });

  test('a piece that nobody takes is given up, and goes on where the server is', async () => {
    const offsets: (string | null)[] = [];
    meeting(async (request, nth) => {
      if (request.method !== 'PATCH') return null;
      offsets.push(request.headers.get('upload-offset'));
      if (nth > 2) return null;
      await keepHalf(request);
      return never();
    });
    expect(await send(SMALL, brief)).toEqual({ kind: 'uploaded', sha256: sha256Of(SMALL) });
    expect(offsets.slice(0, 2)).toEqual(['0', '100000']);
    expect(stored()).toEqual(Buffer.from(SMALL));
  });

  test('a question that nobody answers is put again', async () => {
    meeting((_, nth) => (nth === 1 ? never() : null));
    expect(await send(SMALL, brief)).toMatchObject({ kind: 'uploaded' });
    expect(methods.slice(0, 3)).toEqual(['POST', 'POST', 'PATCH']);
  });
});
