/** Twenty-five sessions run at once, and no more (semantics 2), however the requests race. */
import { afterEach, expect, test } from 'bun:test';
import type { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

const servers: TestServer[] = [];
const newServer = async (): Promise<TestServer> => {
  const server = await startTestServer();
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
  await first.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Failed',
    errors: ['no'],
    exitCode: null,
    results: [],
  });
  expect(String((await away.takeOffer()).actionId)).toBe(answers.at(-1)?.json.id);
});
