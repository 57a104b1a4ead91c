/** Twenty-five sessions run at once, and no more (semantics 2), however the requests race. */
import { afterEach, expect, test } from 'bun:test';
import type { ActionId } from '@longarm/contract/ids';
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

const SESSIONS = 25;
const body = { Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] }], Comment: 'c' };

const connected = (server: TestServer, count: number): Promise<ScriptedDevice[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => server.device(`host${index}`)));

const requestAll = (server: TestServer, devices: readonly ScriptedDevice[]) =>
  Promise.all(devices.map((device) => server.api.post(`/api/machines/${device.machineId}/runliveresponse`, body)));

test('26 requests at once for 26 connected machines: 25 are accepted, one gets 429', async () => {
  const server = await newServer();
  const answers = await requestAll(server, await connected(server, SESSIONS + 1));
  const statuses = answers.map((answer) => answer.status).sort();
  expect(statuses).toEqual([...Array.from({ length: SESSIONS }, () => 200), 429]);
  const refused = answers.find((answer) => answer.status === 429);
  expect(refused?.json.error).toMatchObject({
    code: 'TooManyRequests',
    message: expect.stringMatching(/^Too many requests/),
  });
  expect(refused?.headers.get('retry-after')).toMatch(/^[0-9]+$/);
  const { json } = await server.api.call('/api/machineactions?$count=true');
  expect(json['@odata.count']).toBe(SESSIONS);
});

test('26 requests at once, the 26th machine away: all are accepted, and the 26th runs when a session has ended', async () => {
  const server = await newServer();
  const devices = await connected(server, SESSIONS);
  const away = await server.absentDevice('away');
  const answers = await requestAll(server, [...devices, away]);
  expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: SESSIONS + 1 }, () => 200));
  await away.connect();
  const [first] = devices;
  if (first === undefined) throw new Error('no device');
  const { actionId } = await first.takeOffer();
  await first.report({ kind: 'accepted', actionId });
  expect(away.has('offer')).toBe(false);
  await reportFailure(first, actionId);
  expect(String((await away.takeOffer()).actionId)).toBe(answers.at(-1)?.json.id);
});

const request = (server: TestServer, device: ScriptedDevice) =>
  server.api.post(`/api/machines/${device.machineId}/runliveresponse`, body);

/** Asks until the machine's request is taken: its status is a fact of the server's clock. */
const accepted = async (server: TestServer, device: ScriptedDevice) => {
  for (;;) {
    const answer = await request(server, device);
    if (answer.status !== 429) return answer;
  }
};

const reportFailure = (device: ScriptedDevice, actionId: ActionId) =>
  device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Failed',
    errors: ['no'],
    exitCode: null,
    results: [],
  });
/** One session at once, and a run that is over after two seconds. */
const BRIEF = ['sessions=1', 'transfer-seconds=0.2', 'grace-minutes=0.03'].flatMap((limit) => ['--limit', limit]);

test('a machine that vanishes with an offer gives its session back when the run would be over, and takes one anew', async () => {
  const server = await newServer(...BRIEF);
  const vanishing = await server.device('vanishing');
  const other = await server.device('other');
  await request(server, vanishing);
  const { actionId } = await vanishing.takeOffer();
  const offeredAt = Date.now();
  await vanishing.disconnect();
  expect((await accepted(server, other)).status).toBe(200);
  // until then the device may have taken the offer, and run it; the claim was made a little before it came here
  expect(Date.now() - offeredAt).toBeGreaterThan(1_500);
  const offered = await other.takeOffer();
  await vanishing.connect();
  expect(vanishing.has('offer')).toBe(false);
  await other.report({ kind: 'accepted', actionId: offered.actionId });
  await reportFailure(other, offered.actionId);
  expect((await vanishing.takeOffer()).actionId).toBe(actionId);
});

test('a device that comes back with what it had taken counts again, though its session was given back', async () => {
  const server = await newServer(...BRIEF);
  const vanishing = await server.device('vanishing');
  const other = await server.device('other');
  await request(server, vanishing);
  const { actionId } = await vanishing.takeOffer();
  await vanishing.disconnect();
  const { json } = await accepted(server, other);
  await server.api.post(`/api/machineactions/${json.id}/cancel`, { Comment: 'c' });
  await other.report({ kind: 'action-ended', actionId: (await other.takeOffer()).actionId, how: 'cancelled' });
  await vanishing.connect([actionId]);
  await vanishing.report({ kind: 'accepted', actionId });
  expect((await request(server, other)).status).toBe(429);
});

test('a cancel that outlived its run is effective when its device comes back and holds nothing', async () => {
  const server = await newServer(...BRIEF);
  const vanishing = await server.device('vanishing');
  const other = await server.device('other');
  const { json } = await request(server, vanishing);
  await vanishing.takeOffer();
  await vanishing.disconnect();
  const cancelled = await server.api.post(`/api/machineactions/${json.id}/cancel`, { Comment: 'c' });
  expect(cancelled.json.cancellationState).toBe('Requested');
  await accepted(server, other);
  await vanishing.connect();
  expect((await server.api.call(`/api/machineactions/${json.id}`)).json.cancellationState).toBe('Effective');
});
