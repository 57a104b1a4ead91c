/** Every state change has an audit entry, in the same commit (invariant 7), and races have one winner. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import type { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(30_000);

const servers: TestServer[] = [];
const newServer = async (...flags: string[]): Promise<TestServer> => {
  const server = await startTestServer(flags);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const COMMANDS = [
  { type: 'PutFile', params: [{ key: 'FileName', value: 's.sh' }] },
  { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] },
];
const request = async (server: TestServer, device: ScriptedDevice) =>
  server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: COMMANDS, Comment: 'case 7' });
const trail = (server: TestServer, subject: string) =>
  storeRows(server.dataFolder, 'select * from audit where subject = ? order by seq', subject);
const events = (server: TestServer, subject: string) => trail(server, subject).map(({ event }) => event);
const done = (outcome: 'Completed' | 'Failed') => ({
  outcome,
  errors: outcome === 'Failed' ? ['no'] : [],
  exitCode: null,
});

test('a life that succeeds: each step, by whom, of what', async () => {
  const server = await newServer();
  await server.api.upload('s.sh', 'x');
  const device = await server.device();
  const { json } = await request(server, device);
  const offer = await device.takeOffer();
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  await device.report({ kind: 'command-started', actionId, index: 0 });
  await device.report({ kind: 'command-finished', actionId, index: 0, ...done('Completed'), results: [] });
  await device.report({ kind: 'command-started', actionId, index: 1 });
  const results = [await device.upload(offer, { index: 1, stream: 'file' }, 'abc')];
  await device.report({ kind: 'command-finished', actionId, index: 1, ...done('Completed'), results });
  await device.report({ kind: 'action-ended', actionId, how: 'done' });
  expect(events(server, json.id)).toEqual([
    'action.requested',
    'action.InProgress',
    'action.command-started',
    'action.command-finished',
    'action.command-started',
    'action.Succeeded',
  ]);
  const rows = trail(server, json.id);
  const actors = new Set(rows.map(({ actor }) => actor));
  expect([...actors]).toEqual(['analyst@example.org', `device ${device.machineId}`]);
  const details = rows.map(({ detail }) => JSON.parse(String(detail)));
  expect(details[2]).toMatchObject({ index: 0 });
  expect(details[3]).toMatchObject({ index: 0, outcome: 'Completed', exitCode: null, results: [] });
  const [{ sha256 } = { sha256: '' }] = results;
  expect(details[5]).toMatchObject({ index: 1, results: [{ stream: 'file', sha256, sizeBytes: 3 }] });
  const asked = JSON.parse(String(rows[0]?.detail));
  expect(asked).toMatchObject({ machineId: device.machineId, comment: 'case 7', commands: COMMANDS });
  expect(asked.commands[0].sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('lives that end otherwise say so, once, and with the reason', async () => {
  const server = await newServer();
  await server.api.upload('s.sh', 'x');
  const device = await server.device('here');
  const { json: cancelled } = await request(server, device);
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  for (let time = 0; time < 2; time++) await server.api.post(`/api/machineactions/${cancelled.id}/cancel`, {});
  await device.report({ kind: 'cancel-heard', actionId: offer.actionId });
  for (let time = 0; time < 2; time++)
    await device.report({ kind: 'action-ended', actionId: offer.actionId, how: 'cancelled' });
  expect(events(server, cancelled.id)).toEqual([
    'action.requested',
    'action.InProgress',
    'action.Cancelled',
    'action.cancellation.Acknowledged',
    'action.cancellation.Effective',
  ]);
  expect(trail(server, cancelled.id)[2]).toMatchObject({ actor: 'analyst@example.org' });
  const { json: refused } = await request(server, device);
  const { actionId } = await device.takeOffer();
  await device.report({ kind: 'refused', actionId, reason: 'not signed by the author' });
  expect(events(server, refused.id)).toEqual(['action.requested', 'action.Failed']);
  expect(JSON.parse(String(trail(server, refused.id)[1]?.detail)).reason).toContain('not signed by the author');
});

test('what a request led to says where it came from, each request by an id of its own', async () => {
  const server = await newServer('--trust-proxy');
  const device = await server.absentDevice();
  // the nearest proxy appends what it saw; what stands before is the caller's own word
  const headers = { 'x-forwarded-for': '198.51.100.1, 192.0.2.7' };
  const post = (path: string, body: unknown) => server.api.post(path, body, headers);
  await server.api.upload('s.sh', 'x');
  await post(`/api/machines/${device.machineId}/tags`, { Value: 'a', Action: 'Add' });
  const { json } = await post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: COMMANDS });
  await post(`/api/machineactions/${json.id}/cancel`, { Comment: 'no' });
  await server.api.call('/api/libraryfiles/s.sh', { method: 'DELETE', headers });
  const entries = storeRows(server.dataFolder, 'select event, detail from audit order by seq').map((row) => ({
    event: String(row.event),
    ...JSON.parse(String(row.detail)),
  }));
  const of = (event: string) => entries.find((entry) => entry.event === event)?.origin;
  const asked = ['machine.tag.Add', 'action.requested', 'action.Cancelled', 'library.deleted'].map(of);
  expect(asked.map(({ address }) => address)).toEqual(asked.map(() => '192.0.2.7'));
  expect(new Set(asked.map(({ requestId }) => requestId)).size).toBe(asked.length);
  expect(of('library.added')).toMatchObject({ address: '127.0.0.1' });
  expect(of('machine.enrolled')).toEqual({ address: '127.0.0.1', requestId: null });
  expect(of('enrol-token.added')).toBeUndefined();
  expect(entries.find(({ event }) => event === 'action.Cancelled')?.comment).toBe('no');
});

test('a queue that runs out says so in the server’s name', async () => {
  const server = await newServer('--limit', 'queue-hours=0.0001');
  await server.api.upload('s.sh', 'x');
  const { json: queued } = await request(server, await server.absentDevice('away'));
  const deadline = performance.now() + 10_000;
  while (events(server, queued.id).length < 2 && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  expect(trail(server, queued.id).map(({ event, actor }) => [event, actor])).toEqual([
    ['action.requested', 'analyst@example.org'],
    ['action.TimeOut', 'server'],
  ]);
  expect((await server.api.call(`/api/machineactions/${queued.id}`)).json.status).toBe('TimeOut');
});

test('what administrators and devices do to the folder is there too', async () => {
  const server = await newServer();
  const { clientId } = await server.admin.call('createApplication', { name: 'soar', roles: ['Machine.Read.All'] });
  await server.admin.call('deleteApplication', { clientId });
  const { id } = await server.admin.call('createEnrolToken', { tags: ['a'], maxUses: null, validHours: null });
  await server.admin.call('revokeEnrolToken', { id });
  const { machineId } = await server.absentDevice('new');
  expect(events(server, clientId)).toEqual(['application.added', 'application.deleted']);
  expect(events(server, id)).toEqual(['enrol-token.added', 'enrol-token.revoked']);
  expect(trail(server, machineId)).toMatchObject([{ event: 'machine.enrolled', actor: `device ${machineId}` }]);
  expect(JSON.stringify(storeRows(server.dataFolder, 'select * from audit'))).not.toContain(server.enrolToken);
});

test('of requests that race for the last slots exactly as many win as there are (invariant 6)', async () => {
  const server = await newServer('--limit', 'sessions=3');
  await server.api.upload('s.sh', 'x');
  const devices: ScriptedDevice[] = [];
  for (let place = 0; place < 8; place++) devices.push(await server.device(`host${place}`));
  const answers = await Promise.all(devices.map((device) => request(server, device)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
  expect(storeRows(server.dataFolder, 'select count(*) as held from actions where holds_slot = 1')).toEqual([
    { held: 3 },
  ]);
});

test('of a cancel and an end that race, one decides, and both tell the same story', async () => {
  const server = await newServer();
  await server.api.upload('s.sh', 'x');
  const device = await server.device();
  for (let round = 0; round < 5; round++) {
    const { json } = await request(server, device);
    const { actionId } = await device.takeOffer();
    await device.report({ kind: 'accepted', actionId });
    const failing = device.report({ kind: 'command-finished', actionId, index: 0, ...done('Failed'), results: [] });
    const [cancelled] = await Promise.all([server.api.post(`/api/machineactions/${json.id}/cancel`, {}), failing]);
    await device.report({ kind: 'action-ended', actionId, how: 'done' });
    const { json: after } = await server.api.call(`/api/machineactions/${json.id}`);
    expect([cancelled.status, cancelled.json.status]).toEqual([200, after.status]);
    const finals = events(server, json.id).filter((event) => /Failed|Cancelled/.test(String(event)));
    expect(finals).toEqual([`action.${after.status}`]);
  }
});
