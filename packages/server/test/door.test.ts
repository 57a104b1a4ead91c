/** The door: what a path, a body and an address may look like, and what counts as a call (semantics 20, 22, 26). */
import { afterEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { type Answer, apiCaller } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

const servers: TestServer[] = [];
const newServer = async (...flags: string[]): Promise<TestServer> => {
  const server = await startTestServer(flags);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
const limits = (...texts: readonly string[]) => texts.flatMap((text) => ['--limit', text]);

/** Sends a request byte for byte, and gives the answer's head and body; for what a client would tidy up. */
const sendRaw = (server: TestServer, request: string): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const { hostname, port } = new URL(server.url);
  let text = '';
  const socket = connect(Number(port), hostname, () => socket.write(request));
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('end', () => resolve(text));
  socket.on('error', reject);
  return promise;
};

describe('paths', () => {
  test('any case, a version, doubled slashes, encoded brackets: the same endpoint', async () => {
    const server = await newServer();
    const { machineId } = await server.absentDevice('Host1');
    const { json: action } = await server.api.post(`/API/V1.0/Machines/${machineId.toUpperCase()}/RunLiveResponse`, {
      Commands: [GET_FILE],
    });
    expect(action.machineId).toBe(machineId);
    const same = [
      `/api/machineactions/${action.id}`,
      `/api/v1.0/MachineActions/${action.id.toUpperCase()}`,
      `//api//machineactions///${action.id}/`,
      `/API/machine%61ctions/${action.id}`,
    ];
    for (const path of same) expect([path, (await server.api.call(path)).json.id]).toEqual([path, action.id]);
    for (const tail of ['(index=0)', '%28index%3D0%29', '(INDEX=0)']) {
      const link = await server.api.call(`/api/machineactions/${action.id}/getliveresponseresultdownloadlink${tail}`);
      expect([tail, link.json.error.code]).toEqual([tail, 'BadRequest']);
    }
    const { status } = await server.api.call('/api/v2.0/machineactions');
    expect(status).toBe(404);
  });

  test('what a parameter says keeps its case, and is decoded once', async () => {
    const server = await newServer();
    await server.api.upload('Größe 100%25.sh', 'x');
    const name = encodeURIComponent('Größe 100%25.sh');
    expect((await server.api.call(`/API/LibraryFiles/${name}/CONTENT`)).status).toBe(200);
    expect((await server.api.call(`/api/libraryfiles/${name.toLowerCase()}`, { method: 'DELETE' })).status).toBe(404);
    expect((await server.api.call(`/api/libraryfiles/${name}`, { method: 'DELETE' })).status).toBe(204);
  });
});

describe('bodies', () => {
  const body = JSON.stringify({ Commands: [GET_FILE], Comment: 'c' });
  const types = ['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-16', 'nonsense'];
  for (const type of types) {
    test(`JSON under ${type} is read as JSON`, async () => {
      const server = await newServer();
      const { machineId } = await server.absentDevice();
      const path = `/api/machines/${machineId}/runliveresponse`;
      expect((await server.api.post(path, body, { 'content-type': type })).json.status).toBe('Pending');
    });
  }

  test('JSON under no Content-Type at all, and after a byte order mark', async () => {
    const server = await newServer();
    const { machineId } = await server.absentDevice();
    const text = `\uFEFF${body}`;
    const answer = await sendRaw(
      server,
      [
        `POST /api/machines/${machineId}/runliveresponse HTTP/1.1`,
        'Host: x',
        `Authorization: Bearer ${server.api.token}`,
        `Content-Length: ${Buffer.byteLength(text)}`,
        'Connection: close',
        '',
        text,
      ].join('\r\n'),
    );
    expect(answer).toStartWith('HTTP/1.1 200 ');
    expect(answer).toContain('"status":"Pending"');
  });

  test('names in any case are understood, and echoed as they were sent', async () => {
    const server = await newServer();
    const { machineId } = await server.absentDevice();
    await server.api.upload('s.sh', 'x');
    const params = [
      { KEY: 'scriptName', value: 's.sh' },
      { key: 'ARGS', Value: '--noargs' },
    ];
    const { json } = await server.api.post(`/api/machines/${machineId}/runliveresponse`, {
      commands: [{ Type: 'runscript', PARAMS: params }],
      COMMENT: 'shouted',
    });
    expect(json.requestorComment).toBe('shouted');
    const echoed = [
      { key: 'scriptName', value: 's.sh' },
      { key: 'ARGS', value: '--noargs' },
    ];
    expect(json.commands[0].command).toEqual({ type: 'runscript', params: echoed });
    const empty = await server.api.call(`/api/machineactions/${json.id}/cancel`, { method: 'POST' });
    expect([empty.status, empty.json.cancellationComment]).toEqual([200, '']);
  });
});

describe('what counts as a call', () => {
  const RUN = '/api/machines/nobody/runliveresponse';
  const status = async (answer: Promise<Answer>) => (await answer).status;

  test('the eleventh in a minute is refused, with whole seconds to wait; other endpoints and callers go on', async () => {
    const server = await newServer(...limits('runs-per-minute=10'));
    for (let call = 0; call < 10; call++)
      expect(await status(server.api.post(RUN, { Commands: [GET_FILE] }))).toBe(404);
    const refused = await server.api.post(RUN, { Commands: [GET_FILE] });
    expect([refused.status, refused.json.error.code]).toEqual([429, 'TooManyRequests']);
    const wait = refused.headers.get('retry-after') ?? '';
    expect(wait).toMatch(/^[0-9]+$/);
    expect(Number(wait)).toBeGreaterThan(50);
    expect(Number(wait)).toBeLessThanOrEqual(60);
    expect(refused.json.error.message).toContain(`Try again in ${wait} s`);
    expect(await status(server.api.call('/api/machines'))).toBe(200);
    const other = await apiCaller({ server: server.url, admin: server.admin, name: 'another application' });
    expect(await status(other.post(RUN, { Commands: [GET_FILE] }))).toBe(404);
  });

  test('400 counts; 401, 403 and 429 do not', async () => {
    const server = await newServer(...limits('runs-per-minute=2'));
    const bare = await apiCaller({ server: server.url, admin: server.admin, roles: ['Library.Manage'] });
    for (let call = 0; call < 3; call++) {
      expect(await status(bare.post(RUN, {}))).toBe(403);
      expect(await status(server.api.post(RUN, {}, { authorization: 'Bearer x' }))).toBe(401);
    }
    expect(await status(server.api.post(RUN, 'rubbish'))).toBe(400);
    expect(await status(server.api.post(RUN, 'rubbish'))).toBe(400);
    // the rate is looked at before the body
    expect(await status(server.api.post(RUN, 'rubbish'))).toBe(429);
  });

  test('a call that meets the session limit does not count', async () => {
    const server = await newServer(...limits('runs-per-minute=2', 'sessions=1'));
    const [busy, waiting] = [await server.device('busy'), await server.device('waiting')];
    const run = (id: string) => server.api.post(`/api/machines/${id}/runliveresponse`, { Commands: [GET_FILE] });
    expect(await status(run(busy.machineId))).toBe(200);
    for (let call = 0; call < 4; call++) {
      const full = await run(waiting.machineId);
      expect([full.status, full.json.error.message.includes('sessions are in use')]).toEqual([429, true]);
    }
    expect(await status(run('nobody'))).toBe(404);
    expect((await run('nobody')).json.error.message).toContain('2 in 60 s');
  });

  test('every other endpoint has a minute and an hour of its own', async () => {
    const server = await newServer(...limits('reads-per-minute=3', 'reads-per-hour=4'));
    for (let call = 0; call < 3; call++) expect(await status(server.api.call('/api/machines'))).toBe(200);
    expect(await status(server.api.call('/API/machines/'))).toBe(429);
    expect(await status(server.api.call('/api/machines/nobody'))).toBe(404);
    const hourly = await newServer(...limits('reads-per-minute=1000', 'reads-per-hour=4'));
    for (let call = 0; call < 4; call++) expect(await status(hourly.api.call('/api/alerts?$top=1'))).toBe(200);
    const refused = await hourly.api.call('/api/alerts?$top=1');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
  });
});

describe('addresses in answers', () => {
  const contextOf = async (server: TestServer, headers: Readonly<Record<string, string>> = {}) =>
    (await server.api.call('/api/alerts', { headers })).text;
  const forwarded = { 'x-forwarded-host': 'lr.example, inner', 'x-forwarded-proto': 'https' };
  const empty = (base: string) => `{"@odata.context":"${base}/api/$metadata#Alerts","value":[]}`;

  test('come from the listen address, and never from a Host that nobody vouched for', async () => {
    const server = await newServer();
    expect(await contextOf(server)).toBe(empty(server.url));
    expect(await contextOf(server, { host: 'evil.example', ...forwarded })).toBe(empty(server.url));
  });

  test('come from the proxy where it is trusted', async () => {
    const server = await newServer('--trust-proxy');
    expect(await contextOf(server, forwarded)).toBe(empty('https://lr.example'));
    expect(await contextOf(server, { host: 'lr.example:8443' })).toBe(empty('http://lr.example:8443'));
    expect(await contextOf(server, { 'x-forwarded-host': 'no host at all' })).toBe(empty(server.url));
  });

  test('come from --public-url before anything else, in links and tokens too', async () => {
    const server = await newServer('--public-url', 'https://lr.example:9443/', '--trust-proxy');
    expect(await contextOf(server, { host: 'evil.example', ...forwarded })).toBe(empty('https://lr.example:9443'));
    const claims = JSON.parse(Buffer.from(server.api.token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims.iss).toStartWith('https://lr.example:9443/');
  });
});

test('the profile 2025-12 answers 201, and has its own limits', async () => {
  const server = await newServer('--profile', '2025-12');
  const { machineId } = await server.absentDevice();
  const { status, json } = await server.api.post(`/api/machines/${machineId}/runliveresponse`, {
    Commands: [GET_FILE],
  });
  expect([status, json.status]).toEqual([201, 'Pending']);
  const document = JSON.parse(await (await fetch(`${server.url}/openapi.json`)).text());
  const { responses } = document.paths['/api/machines/{id}/runliveresponse'].post;
  expect([responses['200'], responses['201'] === undefined]).toEqual([undefined, false]);
});
