/** The life of an action over the real server, real sockets and a real store, with a device that a test leads. */
import { afterEach, expect, test } from 'bun:test';
import type { Json } from '@longarm/testkit/api-caller';
import type { ScriptedDevice } from '@longarm/testkit/scripted-device';
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
const runScript = (name: string, args = '') => ({
  type: 'RunScript',
  params: [
    { key: 'ScriptName', value: name },
    { key: 'Args', value: args },
  ],
});

const request = (server: TestServer, device: ScriptedDevice, commands: readonly object[] = [GET_FILE], headers = {}) =>
  server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: commands, Comment: 'c' }, headers);

const getAction = async (server: TestServer, id: string) => (await server.api.call(`/api/machineactions/${id}`)).json;

/** Reads the action until the fact holds. */
const untilAction = async (server: TestServer, id: string, holds: (action: Json) => boolean) => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const action = await getAction(server, id);
    if (holds(action)) return action;
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${JSON.stringify(action)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

test('an accepted request is answered with the documented keys, first and in their order', async () => {
  const server = await newServer();
  const device = await server.absentDevice('host1');
  await server.api.upload('minidump.ps1', 'x');
  const body = {
    Commands: [
      runScript('minidump.ps1', 'OfficeClickToRun'),
      { type: 'GetFile', params: [{ key: 'Path', value: 'C:\\windows\\TEMP\\OfficeClickToRun.dmp.zip' }] },
    ],
    Comment: 'Testing Live Response API',
  };
  const answer = await server.api.post(`/API/machines/${device.machineId}/runliveresponse`, body);
  expect(answer.status).toBe(200);
  const documented = [
    '@odata.context',
    'id',
    'type',
    'requestor',
    'requestorComment',
    'status',
    'machineId',
    'computerDnsName',
    'creationDateTimeUtc',
    'lastUpdateDateTimeUtc',
    'errorHResult',
    'commands',
  ];
  expect(Object.keys(answer.json).slice(0, documented.length)).toEqual(documented);
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
  const command = (index: number) => ({
    index,
    startTime: null,
    endTime: null,
    commandStatus: 'Created',
    errors: [],
    command: body.Commands[index],
  });
  expect(answer.text).toBe(JSON.stringify(answer.json));
  expect(answer.json).toMatchObject({
    '@odata.context': `${server.url}/api/$metadata#MachineActions/$entity`,
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
    type: 'LiveResponse',
    requestor: 'analyst@example.org',
    requestorComment: 'Testing Live Response API',
    status: 'Pending',
    machineId: device.machineId,
    computerDnsName: 'host1',
    creationDateTimeUtc: moment,
    lastUpdateDateTimeUtc: moment,
    errorHResult: 0,
    commands: [command(0), command(1)],
  });
  const commandKeys = ['index', 'startTime', 'endTime', 'commandStatus', 'errors', 'command'];
  for (const shown of answer.json.commands)
    expect(Object.keys(shown).slice(0, commandKeys.length)).toEqual(commandKeys);
});

test('ids of actions are GUIDs that rise: what is written together lies together', async () => {
  const server = await newServer('--limit', 'queued-per-machine=20');
  const device = await server.absentDevice();
  const ids: string[] = [];
  for (let count = 0; count < 20; count++) ids.push(String((await request(server, device)).json.id));
  expect(ids).toEqual([...new Set(ids)].sort());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a script and a file: each state as the device reports it, results as each command ends (semantics 14, 16, 17)', async () => {
  const server = await newServer();
  const device = await server.device();
  await server.api.upload('triage.sh', 'echo hi');
  const { json: action } = await request(server, device, [runScript('triage.sh'), GET_FILE]);
  const offer = await device.takeOffer();
  const { actionId } = offer;
  expect(String(actionId)).toBe(action.id);
  const pinned = offer.payload.commands[0]?.file;
  expect(await (await device.fetchLibraryFile(offer, pinned?.sha256 ?? '')).text()).toBe('echo hi');
  expect((await getAction(server, action.id)).status).toBe('Pending');
  await device.report({ kind: 'accepted', actionId });
  expect((await getAction(server, action.id)).status).toBe('InProgress');
  await device.report({ kind: 'command-started', actionId, index: 0 });
  expect((await getAction(server, action.id)).commands[0].commandStatus).toBe('Executing');
  const notReady = await server.api.call(`/api/machineactions/${action.id}/GetLiveResponseResultDownloadLink(index=0)`);
  expect([notReady.status, notReady.json.error.code]).toEqual([400, 'BadRequest']);
  const stdout = await device.upload(offer, { index: 0, stream: 'stdout' }, 'hi\n\u0000');
  const stderr = await device.upload(offer, { index: 0, stream: 'stderr' }, '');
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Completed',
    errors: [],
    exitCode: 3,
    results: [stdout, stderr],
  });
  expect(await getAction(server, action.id)).toMatchObject({
    status: 'InProgress',
    commands: [{ commandStatus: 'Completed', exitCode: 3 }, { commandStatus: 'Created' }],
  });
  const script = await server.api.download(action.id, 0);
  expect(await script.text()).toBe(
    '{"script_name":"triage.sh","exit_code":3,"script_output":"hi\\n\\u0000","script_errors":""}',
  );
  expect(await (await server.api.download(action.id, 0, '&raw=1&stream=stdout')).text()).toBe('hi\n\u0000');
  const content = crypto.getRandomValues(new Uint8Array(200_000 - 131_072 + 65_536));
  const file = await device.upload(offer, { index: 1, stream: 'file' }, content);
  await device.report({ kind: 'command-started', actionId, index: 1 });
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 1,
    outcome: 'Completed',
    errors: [],
    exitCode: null,
    results: [{ ...file, name: 'größe 1.bin' }],
  });
  expect((await getAction(server, action.id)).status).toBe('Succeeded');
  await device.report({ kind: 'action-ended', actionId, how: 'done' });
  const wrapped = await server.api.download(action.id, 1);
  expect(wrapped.headers.get('content-disposition')).toMatch(/filename=gr%C3%B6%C3%9Fe%201\.bin\.gz$/);
  expect(wrapped.headers.get('content-encoding')).toBeNull();
  const bytes = new Uint8Array(await wrapped.arrayBuffer());
  expect(String(bytes.length)).toBe(wrapped.headers.get('content-length') ?? '');
  expect(Bun.gunzipSync(bytes)).toEqual(content);
  expect(new Uint8Array(await (await server.api.download(action.id, 1, '&raw=1')).arrayBuffer())).toEqual(content);
});

test('semantics 1: a busy machine refuses, naming the active action; of two at once one wins', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  const answers = await Promise.all(Array.from({ length: 8 }, () => request(server, device)));
  const won = answers.filter((answer) => answer.status === 200);
  expect(won).toHaveLength(1);
  for (const lost of answers.filter((answer) => answer !== won[0])) {
    expect([lost.status, lost.json.error.code]).toEqual([400, 'ActiveRequestAlreadyExists']);
    expect(lost.json.error.message).toContain(won[0]?.json.id);
  }
});

test('semantics 1: queued-per-machine lets them wait, first in first out', async () => {
  const server = await newServer('--limit', 'queued-per-machine=3');
  const device = await server.absentDevice();
  const ids = [];
  for (let place = 0; place < 3; place++) ids.push((await request(server, device)).json.id);
  expect((await request(server, device)).json.error.code).toBe('ActiveRequestAlreadyExists');
  await device.connect();
  for (const id of ids) {
    const { actionId } = await device.takeOffer();
    expect(String(actionId)).toBe(id);
    expect(device.has('offer')).toBe(false);
    await device.report({ kind: 'accepted', actionId });
    await device.report({
      kind: 'command-finished',
      actionId,
      index: 0,
      outcome: 'Failed',
      errors: ['no'],
      exitCode: null,
      results: [],
    });
    await device.report({ kind: 'action-ended', actionId, how: 'done' });
  }
});

test('semantics 2: with every slot taken a connected machine gets 429, one that is away is queued and claimed later', async () => {
  const server = await newServer('--limit', 'sessions=2');
  const [first, second, third, away] = [
    await server.device('a'),
    await server.device('b'),
    await server.device('c'),
    await server.absentDevice('d'),
  ];
  if (first === undefined || second === undefined || third === undefined || away === undefined)
    throw new Error('four devices');
  expect((await request(server, first)).status).toBe(200);
  expect((await request(server, second)).status).toBe(200);
  const full = await request(server, third);
  expect([full.status, full.json.error.code]).toEqual([429, 'TooManyRequests']);
  expect(full.headers.get('retry-after')).toMatch(/^[0-9]+$/);
  const queued = await request(server, away);
  expect(queued.status).toBe(200);
  await away.connect();
  const { actionId } = await first.takeOffer();
  await first.report({ kind: 'accepted', actionId });
  expect(away.has('offer')).toBe(false);
  await first.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Failed',
    errors: ['no'],
    exitCode: null,
    results: [],
  });
  const offer = await away.takeOffer();
  expect(String(offer.actionId)).toBe(queued.json.id);
});

test('semantics 3: the queue runs out, and so does the run', async () => {
  const server = await newServer(
    '--limit',
    'queue-hours=0.0003',
    '--limit',
    'transfer-seconds=0.5',
    '--limit',
    'grace-minutes=0.005',
  );
  const away = await server.absentDevice('away');
  const { json: queued } = await request(server, away);
  const expired = await untilAction(server, queued.id, (action) => action.status !== 'Pending');
  expect(expired).toMatchObject({ status: 'TimeOut', commands: [{ commandStatus: 'Failed' }] });
  expect(expired.commands[0].errors[0]).toContain('timed out');
  const slow = await server.device('slow');
  const { json: running } = await request(server, slow);
  const { actionId } = await slow.takeOffer();
  await slow.report({ kind: 'accepted', actionId });
  const overdue = await untilAction(server, running.id, (action) => action.status !== 'InProgress');
  expect(overdue.status).toBe('TimeOut');
  expect(String((await slow.take('cancel')).actionId)).toBe(running.id);
});

test('semantics 4: what the device no longer knows is lost; what is final here is stopped there', async () => {
  const server = await newServer();
  const device = await server.device();
  const { json: lost } = await request(server, device);
  const { actionId } = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId });
  await device.disconnect();
  await device.connect([]);
  const failed = await untilAction(server, lost.id, (action) => action.status === 'Failed');
  expect(failed.commands[0].errors[0]).toContain('lost by the device');
  const { json: second } = await request(server, device);
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  await device.disconnect();
  await server.api.post(`/api/machineactions/${second.id}/cancel`, { Comment: 'x' });
  await device.connect([second.id]);
  expect(String((await device.take('cancel')).actionId)).toBe(second.id);
  const { json: third } = await request(server, device);
  expect(device.has('offer')).toBe(false);
  await device.report({ kind: 'action-ended', actionId: offer.actionId, how: 'cancelled' });
  expect(String((await device.takeOffer()).actionId)).toBe(third.id);
});

test('semantics 5: cancel is final at once, and honest about how far it got', async () => {
  const server = await newServer();
  const device = await server.device();
  const { json: running } = await request(server, device);
  const { actionId } = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId });
  await device.report({ kind: 'command-started', actionId, index: 0 });
  const cancelled = await server.api.post(`/api/machineactions/${running.id}/cancel`, { Comment: 'wrong host' });
  expect(cancelled.status).toBe(200);
  expect(cancelled.json).toMatchObject({
    status: 'Cancelled',
    cancellationState: 'Requested',
    cancellationComment: 'wrong host',
    cancellationRequestor: 'analyst@example.org',
    commands: [{ commandStatus: 'Failed', errors: ['cancelled while it was running'] }],
  });
  expect((await device.take('cancel')).reason).toContain('cancelled');
  const { json: next } = await request(server, device);
  expect(next.status).toBe('Pending');
  await device.report({ kind: 'cancel-heard', actionId });
  expect((await getAction(server, running.id)).cancellationState).toBe('Acknowledged');
  expect(device.has('offer')).toBe(false);
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Failed',
    errors: ['cancelled'],
    exitCode: 143,
    results: [],
  });
  await device.report({ kind: 'action-ended', actionId, how: 'cancelled' });
  expect(await getAction(server, running.id)).toMatchObject({
    status: 'Cancelled',
    cancellationState: 'Effective',
    commands: [{ errors: ['cancelled while it was running'], exitCode: null }],
  });
  expect(String((await device.takeOffer()).actionId)).toBe(next.id);
  const again = await server.api.post(`/api/machineactions/${running.id}/cancel`, { Comment: 'again' });
  expect([again.status, again.json.status, again.json.cancellationComment]).toEqual([200, 'Cancelled', 'wrong host']);
});

test('semantics 5: a cancel before any offer is effective at once', async () => {
  const server = await newServer();
  const away = await server.absentDevice();
  const { json: action } = await request(server, away);
  const { json: cancelled } = await server.api.post(`/api/machineactions/${action.id}/cancel`, { Comment: 'x' });
  expect(cancelled).toMatchObject({
    status: 'Cancelled',
    cancellationState: 'Effective',
    commands: [{ commandStatus: 'Failed', errors: ['cancelled before it started'] }],
  });
  expect((await request(server, away)).status).toBe(200);
});

test('semantics 6: evidence that arrives after the end changes no state and is downloadable', async () => {
  const server = await newServer();
  const device = await server.device();
  await server.api.upload('s.sh', 'x');
  const { json: action } = await request(server, device, [runScript('s.sh'), GET_FILE]);
  const offer = await device.takeOffer();
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  await device.report({ kind: 'command-started', actionId, index: 0 });
  await server.api.post(`/api/machineactions/${action.id}/cancel`, { Comment: 'x' });
  const { ticket } = await device.take('cancel');
  const results = [
    await device.upload({ actionId, ticket }, { index: 0, stream: 'stdout' }, 'so far'),
    await device.upload({ actionId, ticket }, { index: 0, stream: 'stderr' }, ''),
  ];
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Completed',
    errors: [],
    exitCode: 0,
    results,
  });
  expect(await getAction(server, action.id)).toMatchObject({
    status: 'Cancelled',
    commands: [{ commandStatus: 'Failed' }, { commandStatus: 'Created' }],
  });
  expect(JSON.parse(await (await server.api.download(action.id, 0)).text()).script_output).toBe('so far');
});

test('semantics 9: the same key and body gives the same action; another body, 400', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  const key = { 'Idempotency-Key': 'k1' };
  const first = await request(server, device, [GET_FILE], key);
  const again = await request(server, device, [GET_FILE], key);
  expect([again.status, again.json.id]).toEqual([200, first.json.id]);
  const other = await request(server, device, [GET_FILE, GET_FILE], key);
  expect([other.status, other.json.error.code]).toEqual([400, 'BadRequest']);
});

test('semantics 10: what runs is what was asked for, whatever the library says since', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  await server.api.upload('s.sh', 'old');
  await request(server, device, [runScript('s.sh')]);
  expect((await server.api.upload('s.sh', 'new', { OverrideIfExists: 'True' })).status).toBe(200);
  expect((await server.api.call('/api/libraryfiles/s.sh', { method: 'DELETE' })).status).toBe(204);
  await device.connect();
  const offer = await device.takeOffer();
  const sha256 = offer.payload.commands[0]?.file?.sha256 ?? '';
  const half = await device.fetchLibraryFile(offer, sha256, { range: 'bytes=1-' });
  expect([half.status, await half.text()]).toEqual([206, 'ld']);
  const unknown = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, {
    Commands: [runScript('nowhere.sh')],
    Comment: '',
  });
  expect([unknown.status, unknown.json.error.code]).toEqual([400, 'InvalidInput']);
  expect(unknown.json.error.message).toContain('nowhere.sh');
});

test('semantics 15: no result yet, ever, or of an index that does not exist', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  await server.api.upload('f.zip', 'x');
  const { json: action } = await request(server, device, [
    { type: 'PutFile', params: [{ key: 'FileName', value: 'f.zip' }] },
    GET_FILE,
  ]);
  const link = async (index: string) => {
    const answer = await server.api.call(
      `/api/machineactions/${action.id}/GetLiveResponseResultDownloadLink(index=${index})`,
    );
    return [answer.status, answer.json.error.code];
  };
  expect(await link('0')).toEqual([404, 'ResourceNotFound']);
  expect(await link('1')).toEqual([400, 'BadRequest']);
  expect(await link('2')).toEqual([404, 'ResourceNotFound']);
  expect(await link('x')).toEqual([404, 'ResourceNotFound']);
});

test('a report of results that are not here is not believed until they are (semantics 14)', async () => {
  const server = await newServer();
  const device = await server.device();
  const { json: action } = await request(server, device);
  const offer = await device.takeOffer();
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  const claimed = { stream: 'file' as const, sha256: '0'.repeat(64) as never, sizeBytes: 3, name: 'x', cutBytes: 0 };
  device.tell({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Completed',
    errors: [],
    exitCode: null,
    results: [claimed],
  });
  device.tell({ kind: 'action-ended', actionId, how: 'done' });
  expect((await device.take('missing-uploads')).streams).toEqual(['file']);
  expect((await getAction(server, action.id)).status).toBe('InProgress');
  const file = await device.upload(offer, { index: 0, stream: 'file' }, 'abc');
  device.send({
    type: 'report',
    sequence: 2,
    fact: {
      kind: 'command-finished',
      actionId,
      index: 0,
      at: Date.now(),
      outcome: 'Completed',
      errors: [],
      exitCode: null,
      results: [file],
    },
  });
  expect((await device.take('acknowledge')).sequence).toBe(2);
  expect((await getAction(server, action.id)).status).toBe('Succeeded');
});

test('a server that stops and starts again goes on with what waits and what runs', async () => {
  const server = await newServer();
  const [running, waiting] = [await server.device('running'), await server.absentDevice('waiting')];
  const { json: first } = await request(server, running);
  const { json: second } = await request(server, waiting);
  const { actionId, envelope } = await running.takeOffer();
  await running.report({ kind: 'accepted', actionId });
  await server.restart();
  expect((await getAction(server, first.id)).status).toBe('InProgress');
  await running.connect([actionId]);
  const { ticket } = await running.take('resume');
  const file = await running.upload({ actionId, ticket }, { index: 0, stream: 'file' }, 'abc');
  await running.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Completed',
    errors: [],
    exitCode: null,
    results: [file],
  });
  expect((await getAction(server, first.id)).status).toBe('Succeeded');
  await waiting.connect();
  expect(String((await waiting.takeOffer()).actionId)).toBe(second.id);
  expect(envelope.split('.')).toHaveLength(3);
});

test('semantics 30: an offer that got no answer is made again, and is the same bytes', async () => {
  const server = await newServer('--limit', 'lease-seconds=0.3');
  const device = await server.device();
  await request(server, device);
  const first = await device.takeOffer();
  const second = await device.takeOffer();
  expect(second.envelope).toBe(first.envelope);
  await device.disconnect();
  await device.connect();
  expect((await device.takeOffer()).envelope).toBe(first.envelope);
});

test('semantics 27: who watches sees each change, and the end', async () => {
  const server = await newServer();
  const device = await server.device();
  const { json: action } = await request(server, device);
  const response = await fetch(`${server.url}/api/machineactions/${action.id}/events`, {
    headers: { authorization: `Bearer ${server.api.token}` },
  });
  const { actionId } = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId });
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Failed',
    errors: ['no such file'],
    exitCode: null,
    results: [],
  });
  const text = await response.text();
  const statuses = [...text.matchAll(/^data: (\{.*"status".*)$/gm)].map((match) => JSON.parse(match[1] ?? '').status);
  expect(statuses[0]).toBe('Pending');
  expect(statuses.at(-1)).toBe('Failed');
  expect(text.endsWith('event: end\ndata: {}\n\n')).toBe(true);
});

test('a device that enrols again from the same place supersedes its old record (semantics 25)', async () => {
  const server = await newServer();
  const { ScriptedDevice: Device } = await import('@longarm/testkit/scripted-device');
  const options = { server: server.url, enrolToken: server.enrolToken, name: 'twin', place: 'same place' };
  const old = await Device.enrol(options);
  const fresh = await Device.enrol(options);
  const { json: merged } = await server.api.call(`/api/machines/${old.machineId}`);
  expect(merged.mergedIntoMachineId).toBe(fresh.machineId);
  expect((await server.api.call('/api/machines')).json.value.map((machine: Json) => machine.id)).toEqual([
    fresh.machineId,
  ]);
  expect((await request(server, old)).status).toBe(404);
  expect((await server.api.call('/api/machines/TWIN')).json.id).toBe(fresh.machineId);
});

test('while a file is collected, the action tells how far it is', async () => {
  const server = await newServer();
  const device = await server.device();
  const { json: action } = await request(server, device);
  const offer = await device.takeOffer();
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  await device.report({ kind: 'command-started', actionId, index: 0 });
  const path = `/agent/v1/actions/${actionId}/commands/0/results/file`;
  await device.transfer(path, offer.ticket, { method: 'POST', headers: { 'upload-length': '10' } });
  const patch = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
  await device.transfer(path, offer.ticket, { method: 'PATCH', headers: patch, body: 'four' });
  expect((await getAction(server, action.id)).commands[0].transfer).toEqual({ bytes: 4, totalBytes: 10 });
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Failed',
    errors: ['cut'],
    exitCode: null,
    results: [],
  });
  expect((await getAction(server, action.id)).commands[0].transfer).toBeNull();
});
