/** The library over HTTP: forms as the original's clients send them, limits, and what is kept of what (wire contract 1.8). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Answer, apiCaller } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { snapshot, storeRows } from './store-rows.ts';

const MIB = 1_048_576;
const servers: TestServer[] = [];
const newServer = async (...flags: string[]): Promise<TestServer> => {
  const server = await startTestServer(flags);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
const files = async (server: TestServer) => (await server.api.call('/api/libraryfiles')).json.value;

type Part = { readonly name: string; readonly filename?: string; readonly content: string };
const BOUNDARY = 'a-boundary';
const partText = ({ name, filename, content }: Part): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n${content}\r\n`;
const formText = (...parts: readonly Part[]): string => `${parts.map(partText).join('')}--${BOUNDARY}--\r\n`;
const send = (server: TestServer, body: string, contentType = `multipart/form-data; boundary=${BOUNDARY}`) =>
  server.api.post('/api/libraryfiles', body, { 'content-type': contentType });
const sendForm = (server: TestServer, ...parts: readonly Part[]) => send(server, formText(...parts));
const SCRIPT = { name: 'file', filename: 's.sh', content: 'echo hi' };

const expectRefusal = (answer: Answer, code: string, says: string) => {
  expect([answer.status, answer.json.error.code]).toEqual([400, code]);
  expect(answer.json.error.message).toContain(says);
};

/** Unfinished bytes in the data folder. */
const incoming = (server: TestServer) => readdir(join(server.dataFolder, 'blobs', 'incoming'));

describe('an upload', () => {
  test('answers 200 with the entity, and is there at once: listed, downloadable, deletable', async () => {
    const server = await newServer();
    const fields = { Description: 'collects basics', ParametersDescription: '-days N' };
    const { status, json } = await server.api.upload('triage.sh', 'echo hi', fields);
    const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    const { '@odata.context': context, ...entity } = json;
    expect([status, context]).toEqual([200, `${server.url}/api/$metadata#LibraryFiles/$entity`]);
    expect(entity).toEqual({
      fileName: 'triage.sh',
      sha256: sha256('echo hi'),
      description: 'collects basics',
      creationTime: moment,
      lastUpdatedTime: moment,
      createdBy: 'analyst@example.org',
      hasParameters: true,
      parametersDescription: '-days N',
      sizeBytes: 7,
      requiresApproval: false,
    });
    await server.api.upload('Alpha.sh', '');
    const list = await server.api.call('/api/libraryfiles');
    expect(Object.keys(list.json)).toEqual(['@odata.context', 'value']);
    expect(list.json['@odata.context']).toBe(`${server.url}/api/$metadata#LibraryFiles`);
    expect(list.json.value.map((file: { fileName: string }) => file.fileName)).toEqual(['Alpha.sh', 'triage.sh']);
    expect(list.json.value[1]).toEqual(entity);
    expect(list.json.value[0]).toMatchObject({ sizeBytes: 0, description: null, hasParameters: false });
    const content = await server.api.call('/api/libraryfiles/triage.sh/content');
    expect([content.status, content.text]).toEqual([200, 'echo hi']);
    expect(content.headers.get('content-length')).toBe('7');
    expect(content.headers.get('longarm-sha256')).toBe(sha256('echo hi'));
    expect(content.headers.get('content-disposition')).toBe('attachment; filename=triage.sh');
    const deleted = await server.api.call('/api/libraryfiles/triage.sh', { method: 'DELETE' });
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await server.api.call('/api/libraryfiles/triage.sh/content')).status).toBe(404);
    expect((await server.api.call('/api/libraryfiles/triage.sh', { method: 'DELETE' })).status).toBe(404);
  });

  test('names its parts in any case, in any order, and may bring parts that mean nothing', async () => {
    const server = await newServer();
    const { status, json } = await sendForm(
      server,
      { name: 'FileName', content: 'ignored.sh' },
      { name: 'file-name', content: 'ignored.sh' },
      { ...SCRIPT, name: 'FILE' },
      { name: 'HASPARAMETERS', content: 'True' },
      { name: 'description', content: 'later wins not' },
      { name: 'Description', content: 'größer' },
    );
    expect(status).toBe(200);
    expect(json).toMatchObject({ fileName: 's.sh', hasParameters: true, description: 'größer' });
  });

  test('takes truths in any case, and refuses what is none', async () => {
    const server = await newServer();
    for (const [text, expected] of [
      ['True', true],
      ['true', true],
      [' TRUE ', true],
      ['False', false],
      ['', false],
    ] as const) {
      const { json } = await server.api.upload('t.sh', 'x', { HasParameters: text, OverrideIfExists: 'true' });
      expect([text, json.hasParameters]).toEqual([text, expected]);
    }
    const answer = await server.api.upload('t.sh', 'x', { OverrideIfExists: 'yes' });
    expectRefusal(answer, 'InvalidInput', 'OverrideIfExists: expected true or false, got "yes"');
  });

  test('of a name that is taken is refused in the words that clients look for, unless it may override', async () => {
    const server = await newServer();
    const { json: first } = await server.api.upload('s.sh', 'one', { Description: 'first' });
    const before = snapshot(server.dataFolder);
    expectRefusal(await server.api.upload('s.sh', 'two'), 'BadRequest', 'already exists');
    expectRefusal(
      await server.api.upload('s.sh', 'two', { OverrideIfExists: 'False' }),
      'BadRequest',
      'already exists',
    );
    expect(snapshot(server.dataFolder)).toBe(before);
    const other = await apiCaller({
      server: server.url,
      admin: server.admin,
      name: 'other',
      roles: ['Library.Manage'],
    });
    const { json: replaced } = await other.upload('s.sh', 'two', { OverrideIfExists: 'True' });
    expect(replaced).toMatchObject({
      sha256: sha256('two'),
      description: null,
      createdBy: 'analyst@example.org',
      creationTime: first.creationTime,
    });
    expect((await server.api.upload('S.sh', 'three')).status).toBe(200);
    expect((await files(server)).length).toBe(2);
  });

  test('keeps names as they are: spaces, umlauts, dots', async () => {
    const server = await newServer();
    for (const name of ['größe 1.sh', 'a..b', '.hidden', "o'brien (1).ps1", 'x'.repeat(255)]) {
      expect([name, (await server.api.upload(name, 'x')).json.fileName]).toEqual([name, name]);
      const { headers } = await server.api.call(`/api/libraryfiles/${encodeURIComponent(name)}/content`);
      expect(decodeURIComponent(headers.get('content-disposition')?.split('filename=')[1] ?? '')).toBe(name);
    }
  });
});

describe('limits', () => {
  test('a file of exactly the limit is taken, one byte more is refused and leaves nothing', async () => {
    const server = await newServer();
    const content = new Uint8Array(20 * MIB + 1).fill(0x61);
    const whole = await server.api.upload('big.bin', content.subarray(0, 20 * MIB));
    expect([whole.status, whole.json.sizeBytes]).toEqual([200, 20 * MIB]);
    expect(whole.json.sha256).toBe(sha256(content.subarray(0, 20 * MIB)));
    const before = snapshot(server.dataFolder);
    expectRefusal(await server.api.upload('bigger.bin', content), 'InvalidInput', 'at most 20 MiB');
    expect(snapshot(server.dataFolder)).toBe(before);
    expect(await incoming(server)).toEqual([]);
  });

  test('--limit library-mib moves it, in fractions too', async () => {
    const server = await newServer('--limit', 'library-mib=0.5');
    expect((await server.api.upload('a', 'x'.repeat(MIB / 2))).status).toBe(200);
    expectRefusal(await server.api.upload('b', 'x'.repeat(MIB / 2 + 1)), 'InvalidInput', 'at most 0.5 MiB');
  });

  test('a text that is too long is refused, and never silently cut', async () => {
    const server = await newServer();
    const most = 'd'.repeat(65_536);
    expect((await server.api.upload('a', 'x', { Description: most })).json.description).toBe(most);
    const before = snapshot(server.dataFolder);
    expectRefusal(await server.api.upload('b', 'x', { Description: `${most}d` }), 'InvalidInput', 'Description');
    expect(snapshot(server.dataFolder)).toBe(before);
  });
});

describe('a broken form', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  const cases: Readonly<
    Record<string, { readonly code: string; readonly says: string; readonly ask: () => Promise<Answer> }>
  > = {
    'without a file': {
      code: 'MissingRequiredParameter',
      says: 'Expected a part File',
      ask: () => sendForm(server, { name: 'Description', content: 'x' }),
    },
    'with a file part that has no filename': {
      code: 'MissingRequiredParameter',
      says: 'Expected a part File',
      ask: () => sendForm(server, { name: 'file', content: 'x' }),
    },
    'with several files': {
      code: 'InvalidInput',
      says: 'Expected one file in the body, got several',
      ask: () => sendForm(server, SCRIPT, { ...SCRIPT, filename: 't.sh' }),
    },
    'with too many parts': {
      code: 'InvalidInput',
      says: 'at most 32 parts',
      ask: () =>
        sendForm(server, ...Array.from({ length: 40 }, (_, place) => ({ name: `p${place}`, content: 'x' })), SCRIPT),
    },
    'that ends in the file': {
      code: 'InvalidRequestBody',
      says: 'The multipart body is broken',
      ask: () => send(server, partText({ ...SCRIPT, content: 'x'.repeat(200_000) })),
    },
    'that is empty': { code: 'InvalidRequestBody', says: 'multipart', ask: () => send(server, '') },
    'of a type without a boundary': {
      code: 'InvalidRequestBody',
      says: 'boundary',
      ask: () => send(server, formText(SCRIPT), 'multipart/form-data'),
    },
    'of another type': {
      code: 'InvalidRequestBody',
      says: 'got application/json',
      ask: () => send(server, '{}', 'application/json'),
    },
  };
  for (const [name, { code, says, ask }] of Object.entries(cases)) {
    test(`${name} is refused, and nothing is left of it`, async () => {
      const before = snapshot(server.dataFolder);
      expectRefusal(await ask(), code, says);
      expect(snapshot(server.dataFolder)).toBe(before);
      expect(await incoming(server)).toEqual([]);
      const whole = await sendForm(server, SCRIPT, { name: 'OverrideIfExists', content: 'true' });
      expect(whole.status).toBe(200);
    });
  }

  for (const filename of ['../x.sh', '/etc/passwd', 'a\\\\b', 'CON', '..', 'x.sh ', 'x'.repeat(256)]) {
    test(`a file called ${filename.slice(0, 20)} is refused`, async () => {
      const before = snapshot(server.dataFolder);
      expectRefusal(await sendForm(server, { ...SCRIPT, filename }), 'InvalidInput', 'File:');
      expect(snapshot(server.dataFolder)).toBe(before);
      expect(await incoming(server)).toEqual([]);
    });
  }
});

test('a caller that goes away in the middle leaves no file, and no half of one for long', async () => {
  const server = await newServer();
  const { hostname, port } = new URL(server.url);
  const head = [
    'POST /api/libraryfiles HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${server.api.token}`,
    `Content-Type: multipart/form-data; boundary=${BOUNDARY}`,
    'Content-Length: 1000000',
  ];
  const socket = connect(Number(port), hostname);
  socket.write(
    `${head.join('\r\n')}\r\n\r\n${partText({ ...SCRIPT, content: 'x'.repeat(300_000) }).slice(0, 200_000)}`,
  );
  const until = async (holds: () => Promise<boolean>) => {
    const deadline = performance.now() + 5_000;
    while (!(await holds()) && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    expect(await holds()).toBe(true);
  };
  await until(async () => (await incoming(server)).length === 1);
  socket.destroy();
  await until(async () => (await incoming(server)).length === 0);
  expect(await files(server)).toEqual([]);
});

test('who added, replaced and deleted what is in the audit', async () => {
  const server = await newServer();
  await server.api.upload('s.sh', 'one');
  await server.api.upload('s.sh', 'two', { OverrideIfExists: 'true' });
  await server.api.call('/api/libraryfiles/s.sh', { method: 'DELETE' });
  const rows = storeRows(server.dataFolder, "select * from audit where subject = 's.sh' order by seq");
  expect(rows.map(({ event, actor }) => [event, actor])).toEqual([
    ['library.added', 'analyst@example.org'],
    ['library.replaced', 'analyst@example.org'],
    ['library.deleted', 'analyst@example.org'],
  ]);
  expect(rows.map(({ detail }) => JSON.parse(String(detail)).sha256)).toEqual([
    sha256('one'),
    sha256('two'),
    sha256('two'),
  ]);
});
