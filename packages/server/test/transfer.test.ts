/** Bytes between devices and the server: uploads that resume, tickets, ranges (semantics 14, 16; tus 1.0 core). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CUT_NOTICE_BYTES } from '@longarm/contract/cut-output';
import { ActionId, MachineId } from '@longarm/contract/ids';
import { libraryFilePath, UPLOAD_CONTENT_TYPE, uploadPath, WHOLE_UPLOAD_BYTES } from '@longarm/contract/wire/protocol';
import { ensureSecretFile } from '@longarm/server/auth/secret-file';
import { tickets } from '@longarm/server/auth/ticket';
import type { Offered, ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

const KIB = 1_024;
const COMMANDS = [
  { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] },
  { type: 'RunScript', params: [{ key: 'ScriptName', value: 's.sh' }] },
  { type: 'PutFile', params: [{ key: 'FileName', value: 's.sh' }] },
];
const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

let server: TestServer;
let device: ScriptedDevice;
let offer: Offered;
beforeAll(async () => {
  server = await startTestServer(['--limit', 'get-mib=0.5', '--limit', 'output-mib=0.25', '--limit', 'sessions=1000']);
  await server.api.upload('s.sh', 'echo hi');
});
afterAll(() => server.stop());
beforeEach(async () => {
  device = await server.device('sender');
  await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: COMMANDS });
  offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
});

const path = (index = 0, stream = 'file', actionId: string = offer.actionId) => uploadPath({ actionId, index, stream });
type Sent = {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly at?: string;
  readonly ticket?: string;
  readonly from?: ScriptedDevice;
};
const call = async (method: string, headers: Readonly<Record<string, string>>, sent: Sent = {}) => {
  const { body, at = path(), ticket = offer.ticket, from = device } = sent;
  const init = { method, headers };
  const response = await from.transfer(at, ticket, body === undefined ? init : { ...init, body });
  const text = await response.text();
  const told = (name: string) => response.headers.get(name);
  const code: string | null = text === '' ? null : JSON.parse(text).error.code;
  return { status: response.status, offset: told('upload-offset'), sha256: told('longarm-sha256'), code, told };
};
const create = (length: number | string, sent: Sent = {}) => call('POST', { 'upload-length': String(length) }, sent);
const head = (sent: Sent = {}) => call('HEAD', {}, sent);
const patch = (offset: number | string, body: string | Uint8Array<ArrayBuffer>, sent: Sent = {}) =>
  call('PATCH', { 'upload-offset': String(offset), 'content-type': UPLOAD_CONTENT_TYPE }, { ...sent, body });

const createWith = (length: number, body: string | Uint8Array<ArrayBuffer>, sent: Sent = {}) =>
  call('POST', { 'upload-length': String(length), 'content-type': UPLOAD_CONTENT_TYPE }, { ...sent, body });

describe('an upload that brings its bytes at once', () => {
  test('is whole with its first answer, and says the same again', async () => {
    const whole = { offset: '5', sha256: sha256('hello') };
    expect(await createWith(5, 'hello')).toMatchObject({ status: 201, ...whole });
    expect(await createWith(5, 'hello')).toMatchObject({ status: 200, ...whole });
    expect(await createWith(5, 'other')).toMatchObject({ status: 200, ...whole });
    expect(await head()).toMatchObject({ status: 200, ...whole });
  });

  test('may bring less: the rest follows', async () => {
    expect(await createWith(5, 'hel')).toMatchObject({ status: 201, offset: '3', sha256: null });
    expect(await patch(3, 'lo')).toMatchObject({ status: 204, sha256: sha256('hello') });
  });

  test('may not bring more: nothing of it stays, and it can come again', async () => {
    expect(await createWith(5, 'hello, world')).toMatchObject({ status: 413, sha256: null });
    expect(await head()).toMatchObject({ status: 404 });
    expect(await createWith(4, 'four')).toMatchObject({ status: 201, sha256: sha256('four') });
  });

  test('goes on where one that was opened before has come to', async () => {
    await create(5);
    await patch(0, 'he');
    expect(await createWith(5, 'hello')).toMatchObject({ status: 201, offset: '2', sha256: null });
    expect(await patch(2, 'llo')).toMatchObject({ status: 204, sha256: sha256('hello') });
  });

  test('is for what the action has, and for small ones', async () => {
    expect(await createWith(5, 'hello', { at: path(0, 'stdout') })).toMatchObject({ status: 404 });
    expect(await createWith(5, 'hello', { at: path(7) })).toMatchObject({ status: 404 });
    const long = new Uint8Array(WHOLE_UPLOAD_BYTES + 1);
    expect(await createWith(long.length, long)).toMatchObject({ status: 201, offset: '0', sha256: null });
    const longest = long.subarray(1);
    const at = path(1, 'stdout');
    expect(await createWith(longest.length, longest, { at })).toMatchObject({ status: 201, sha256: sha256(longest) });
  });
});

describe('an upload', () => {
  test('goes in pieces, tells how far it is, and ends with its hash', async () => {
    const created = await create(10);
    expect([created.status, created.offset, created.told('upload-length')]).toEqual([201, '0', '10']);
    expect(created.told('tus-resumable')).toBe('1.0.0');
    expect(await head()).toMatchObject({ status: 200, offset: '0', sha256: null });
    expect(await patch(0, 'hello')).toMatchObject({ status: 204, offset: '5', sha256: null });
    const half = await head();
    expect([half.offset, half.told('cache-control')]).toEqual(['5', 'no-store']);
    expect(await create(10)).toMatchObject({ status: 201, offset: '5' });
    expect(await patch(5, 'world')).toMatchObject({ status: 204, offset: '10', sha256: sha256('helloworld') });
    expect(await head()).toMatchObject({ status: 200, offset: '10', sha256: sha256('helloworld') });
    // told again, since an answer may be lost
    expect(await create(10)).toMatchObject({ status: 200, offset: '10', sha256: sha256('helloworld') });
    expect(await patch(5, 'world')).toMatchObject({ status: 204, offset: '10', sha256: sha256('helloworld') });
  });

  test('that is cut off goes on from where it was', async () => {
    const content = crypto.getRandomValues(new Uint8Array(300 * KIB));
    await create(content.length);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const asked = { path: path(), method: 'PATCH', headers: { 'upload-offset': '0' }, ticket: offer.ticket };
    const proof = `Longarm-Proof: ${device.proofOf(asked)}`;
    const bearer = `Authorization: Bearer ${offer.ticket}`;
    const lines = [`PATCH ${path()} HTTP/1.1`, 'Host: x', bearer, proof, 'Upload-Offset: 0'];
    const rest = [`Content-Type: ${UPLOAD_CONTENT_TYPE}`, `Content-Length: ${content.length}`, '', ''];
    socket.write([...lines, ...rest].join('\r\n'));
    socket.write(content.subarray(0, 100 * KIB));
    const until = async (holds: (offset: number) => boolean): Promise<number> => {
      const deadline = performance.now() + 5_000;
      for (;;) {
        const offset = Number((await head()).offset);
        if (holds(offset)) return offset;
        if (performance.now() > deadline) throw new Error(`not within 5 s: ${offset}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await until((offset) => offset === 100 * KIB);
    socket.destroy();
    const done = await patch(100 * KIB, content.slice(100 * KIB));
    expect([done.status, done.sha256]).toEqual([204, sha256(content)]);
    Bun.gc(true);
    expect((await head()).offset).toBe(String(content.length));
  });

  test('of no bytes is whole at once', async () => {
    const at = path(1, 'stderr');
    expect(await create(0, { at })).toMatchObject({ status: 201, offset: '0', sha256: sha256('') });
    expect(await create(0, { at })).toMatchObject({ status: 200, sha256: sha256('') });
  });

  test('at a wrong place is told the right one', async () => {
    await create(10);
    await patch(0, 'hello');
    for (const offset of [0, 4, 6, 10]) {
      expect([offset, (await patch(offset, 'x')).status, (await head()).offset]).toEqual([offset, 409, '5']);
    }
    expect((await patch(6, 'x')).offset).toBe('5');
    for (const offset of ['', '-1', '5.0', 'x', '9'.repeat(16)])
      expect([offset, (await patch(offset, 'x')).code]).toEqual([offset, 'InvalidInput']);
    expect((await patch(5, 'world')).sha256).toBe(sha256('helloworld'));
  });

  test('longer than it said is refused; what fits is kept', async () => {
    await create(5);
    const { status, sha256: hash } = await patch(0, 'hello world');
    expect([status, hash]).toEqual([413, null]);
    expect((await head()).offset).toBe('5');
    expect((await patch(5, '')).sha256).toBe(sha256('hello'));
  });

  test('of another length than before starts anew, until it was reported', async () => {
    await create(10);
    await patch(0, 'hello');
    expect(await create(3)).toMatchObject({ status: 201, offset: '0' });
    expect((await patch(0, 'abc')).sha256).toBe(sha256('abc'));
    expect(await create(4)).toMatchObject({ status: 201, offset: '0', sha256: null });
    const file = await device.upload(offer, { index: 0, stream: 'file' }, 'four');
    const done = { outcome: 'Completed' as const, errors: [], exitCode: null, results: [file] };
    await device.report({ kind: 'command-finished', actionId: offer.actionId, index: 0, ...done });
    expect(await create(5)).toMatchObject({ status: 200, offset: '4', sha256: sha256('four') });
    expect(await patch(0, 'evil!')).toMatchObject({ status: 204, sha256: sha256('four') });
    const download = await server.api.download(offer.actionId, 0, '&raw=1');
    expect(await download.text()).toBe('four');
  });

  test('of exactly the limit is taken, and one byte more refused before any is sent', async () => {
    expect((await create(512 * KIB)).status).toBe(201);
    expect(await create(512 * KIB + 1)).toMatchObject({ status: 400, code: 'InvalidInput' });
    const at = path(1, 'stdout');
    // what an output says of its own cut comes on top of its limit
    const outputBytes = 256 * KIB + CUT_NOTICE_BYTES;
    expect((await create(outputBytes, { at })).status).toBe(201);
    expect((await create(outputBytes + 1, { at })).code).toBe('InvalidInput');
    for (const length of ['', '-1', '1e3', 'x']) expect((await create(length)).code).toBe('InvalidInput');
  });

  test('has to say what it is, and to have been opened', async () => {
    expect((await patch(0, 'x')).code).toBe('ResourceNotFound');
    expect((await head()).status).toBe(404);
    await create(1);
    expect((await call('PATCH', { 'upload-offset': '0' }, { body: 'x' })).code).toBe('BadRequest');
    expect((await head()).offset).toBe('0');
    for (const method of ['GET', 'PUT', 'DELETE']) expect((await call(method, {})).code).toBe('NotFound');
  });

  test('is for a result that the command has', async () => {
    for (const at of [path(0, 'stdout'), path(1, 'file'), path(2, 'file'), path(3, 'file'), path(0, 'passwd')])
      expect([at, (await create(1, { at })).code]).toEqual([at, 'ResourceNotFound']);
    expect((await create(1, { at: path(0, '..%2f..%2fetc') })).status).toBe(404);
    const rows = storeRows(server.dataFolder, 'select * from results where action_id = ?', offer.actionId);
    expect(rows).toEqual([]);
  });
});

describe('a ticket', () => {
  const sealKey = () => ensureSecretFile(join(server.dataFolder, 'keys', 'seal-key'), 32);
  const issued = async (changes: {
    readonly now?: number;
    readonly machineId?: string;
    readonly actionId?: string;
  }) => {
    const { now = Date.now(), machineId = device.machineId, actionId = offer.actionId } = changes;
    return tickets({ key: await sealKey(), now: () => now }).issue(
      MachineId.parse(machineId),
      ActionId.parse(actionId),
    );
  };

  test('is needed, whole, by this server and not too old: 401', async () => {
    const [payload = '', seal = ''] = offer.ticket.split('.');
    const other = await issued({ machineId: '0'.repeat(40) });
    const bad = [
      'rubbish',
      '.',
      payload,
      `${payload}.`,
      `${payload}.${seal}.`,
      `${other.split('.')[0]}.${seal}`,
      `${payload}.${seal.slice(0, -1)}`,
      tickets({ key: new Uint8Array(32), now: Date.now }).issue(MachineId.parse(device.machineId), offer.actionId),
      await issued({ now: Date.now() - 7 * 86_400_000 - 1_000 }),
      server.api.token,
    ];
    for (const ticket of bad) {
      expect([ticket, (await create(1, { ticket })).code]).toEqual([ticket, 'Unauthorized']);
      const file = await call('GET', {}, { ticket, at: libraryFilePath(offer.actionId, sha256('echo hi')) });
      expect(file.code).toBe('Unauthorized');
    }
    expect((await device.request(path(), { method: 'POST', headers: { 'upload-length': '1' } })).status).toBe(401);
    expect((await create(1, { ticket: await issued({ now: Date.now() - 6 * 86_400_000 }) })).status).toBe(201);
  });

  test('opens no door of the API', async () => {
    const { status } = await server.api.call('/api/machines', { headers: { authorization: `Bearer ${offer.ticket}` } });
    expect(status).toBe(401);
  });

  test('for another action is no use here: 403', async () => {
    const other = await server.device('other');
    await server.api.post(`/api/machines/${other.machineId}/runliveresponse`, { Commands: COMMANDS });
    const { ticket } = await other.takeOffer();
    for (const method of ['POST', 'PATCH', 'HEAD']) expect((await call(method, {}, { ticket })).status).toBe(403);
    expect((await create(1, { ticket })).code).toBe('Forbidden');
    const file = await call('GET', {}, { ticket, at: libraryFilePath(offer.actionId, sha256('echo hi')) });
    expect(file.code).toBe('Forbidden');
    // what no honest server issues: the action of one, the name of another
    const mixed = await issued({ machineId: other.machineId });
    expect((await create(1, { ticket: mixed, from: other })).code).toBe('ResourceNotFound');
    const pinned = await call(
      'GET',
      {},
      {
        ticket: mixed,
        from: other,
        at: libraryFilePath(offer.actionId, sha256('echo hi')),
      },
    );
    expect(pinned.code).toBe('ResourceNotFound');
    await other.disconnect();
  });
});

describe('a proof of the device’s key', () => {
  const asked = (method = 'HEAD', headers: Record<string, string> = {}) => ({
    path: path(),
    method,
    headers,
    ticket: offer.ticket,
  });
  const show = async (proof: string | null, { method, path: at, headers, ticket } = asked()) => {
    const shown = { ...headers, authorization: `Bearer ${ticket}`, ...(proof !== null && { 'longarm-proof': proof }) };
    return (await device.request(at, { method, headers: shown })).status;
  };

  test('goes with each request: a ticket alone opens nothing, nor does another device', async () => {
    await create(10);
    expect(await show(null)).toBe(401);
    expect(await show(device.proofOf(asked()))).toBe(200);
    const other = await server.device('thief');
    expect(await show(other.proofOf(asked()))).toBe(401);
    expect(await show(other.proofOf(asked(), { machineId: device.machineId }))).toBe(401);
    const pinned = libraryFilePath(offer.actionId, sha256('echo hi'));
    const headers = { authorization: `Bearer ${offer.ticket}` };
    expect((await device.request(pinned, { headers })).status).toBe(401);
    await other.disconnect();
  });

  test('is for one server, ticket, method, path and place', async () => {
    await create(10);
    const patching = asked('PATCH', { 'upload-offset': '0', 'content-type': UPLOAD_CONTENT_TYPE });
    const wrong = [
      device.proofOf(patching, { audience: 'another-server' }),
      device.proofOf({ ...patching, ticket: 'another' }),
      device.proofOf({ ...patching, method: 'HEAD' }),
      device.proofOf({ ...patching, path: path(1, 'stdout') }),
      device.proofOf({ ...patching, headers: { 'upload-offset': '1' } }),
      'rubbish',
    ];
    for (const proof of wrong) expect([proof, await show(proof, patching)]).toEqual([proof, 401]);
    const ranged = {
      ...asked('GET', { range: 'bytes=0-1' }),
      path: libraryFilePath(offer.actionId, sha256('echo hi')),
    };
    expect(await show(device.proofOf({ ...ranged, headers: { range: 'bytes=0-2' } }), ranged)).toBe(401);
    expect(await show(device.proofOf(ranged), ranged)).toBe(206);
  });

  test('is good once and now; the same request passes with a fresh one: 425', async () => {
    await create(10);
    const proof = device.proofOf(asked());
    expect([await show(proof), await show(proof), await show(device.proofOf(asked()))]).toEqual([200, 425, 200]);
    const now = Date.now();
    expect(await show(device.proofOf(asked(), { at: now - 61_000 }))).toBe(425);
    expect(await show(device.proofOf(asked(), { at: now + 30_000 }))).toBe(425);
    const altered = proof.replace(/^[0-9]+/, (at) => String(Number(at) + 1));
    expect(await show(altered)).toBe(401);
  });
});

describe('a library file', () => {
  test('comes whole or in ranges, and only when the action pinned it', async () => {
    const hash = sha256('echo hi');
    const whole = await device.fetchLibraryFile(offer, hash);
    expect([whole.status, await whole.text(), whole.headers.get('etag')]).toEqual([200, 'echo hi', `"${hash}"`]);
    const part = await device.fetchLibraryFile(offer, hash, { range: 'bytes=5-' });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, 'hi', 'bytes 5-6/7']);
    const past = await device.fetchLibraryFile(offer, hash, { range: 'bytes=7-' });
    expect([past.status, past.headers.get('content-range')]).toEqual([416, 'bytes */7']);
    await server.api.upload('other.sh', 'not asked for', { OverrideIfExists: 'true' });
    for (const other of [sha256('not asked for'), '0'.repeat(64), 'x', '..'])
      expect([other, (await device.fetchLibraryFile(offer, other)).status]).toEqual([other, 404]);
  });
});

describe('a download', () => {
  test('can be had in ranges, raw and wrapped, and its head alone', async () => {
    const content = crypto.getRandomValues(new Uint8Array(100 * KIB));
    const file = await device.upload(offer, { index: 0, stream: 'file' }, content);
    const done = { outcome: 'Completed' as const, errors: [], exitCode: null, results: [file] };
    await device.report({ kind: 'command-finished', actionId: offer.actionId, index: 0, ...done });
    const at = `/api/machineactions/${offer.actionId}/GetLiveResponseResultDownloadLink(index=0)`;
    const link = String((await server.api.call(at)).json.value);
    const bytes = async (url: string, headers: Readonly<Record<string, string>> = {}) => {
      const response = await fetch(url, { headers });
      return { response, body: Buffer.from(await response.arrayBuffer()) };
    };
    const wrapped = (await bytes(link)).body;
    expect(Buffer.from(Bun.gunzipSync(wrapped)).equals(content)).toBe(true);
    for (const [url, whole] of [
      [link, wrapped],
      [`${link}&raw=1`, Buffer.from(content)],
    ] as const) {
      const { response, body } = await bytes(url, { range: 'bytes=1000-69999' });
      expect([response.status, body.equals(whole.subarray(1_000, 70_000))]).toEqual([206, true]);
      const etag = response.headers.get('etag') ?? '';
      const same = await bytes(url, { range: 'bytes=-10', 'if-range': etag });
      expect([same.response.status, same.body.equals(whole.subarray(-10))]).toEqual([206, true]);
      expect((await bytes(url, { range: 'bytes=-10', 'if-range': '"other"' })).response.status).toBe(200);
      const only = await fetch(url, { method: 'HEAD' });
      expect([only.status, only.headers.get('content-length'), only.headers.get('etag')]).toEqual([
        200,
        String(whole.length),
        etag,
      ]);
    }
    expect((await fetch(`${link}&raw=1&stream=stdout`)).status).toBe(404);
    expect((await fetch(link, { method: 'DELETE' })).status).toBe(404);
  });
});
