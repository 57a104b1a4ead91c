/** A herd is let in at a rate (limits connects-, enrols- and offers-per-second), over real sockets. */
import { afterEach, expect, test } from 'bun:test';
import { TURN_WAIT_SECONDS } from '@longarm/contract/limits';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { newKey, openSocket } from './raw-device.ts';

let server: TestServer;
afterEach(() => server.stop());

const start = async (...limits: readonly string[]) => {
  server = await startTestServer(limits.flatMap((limit) => ['--limit', limit]));
};

/** The first frame that comes on a new socket. */
const firstFrame = (): Promise<{ readonly type: string; readonly retryAfterSeconds?: number }> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(server.url.replace(/^http/, 'ws') + AGENT_PATHS.connect);
    socket.onmessage = ({ data }) => {
      resolve(JSON.parse(String(data)));
      socket.close();
    };
    socket.onclose = () => reject(new Error('closed without a word'));
  });

test('a connection at the rate is greeted at once, one past it when its turn has come', async () => {
  await start('connects-per-second=20');
  const since = performance.now();
  // two may come at once, the third a step after them
  await Promise.all([openSocket(server.url), openSocket(server.url), openSocket(server.url)]);
  expect(performance.now() - since).toBeGreaterThanOrEqual(45);
});

test('one that would wait for too long is told when to come back, each at another moment', async () => {
  // one at once, and one more than the wait would hold
  await start(`connects-per-second=${0.5 / TURN_WAIT_SECONDS}`);
  expect((await firstFrame()).type).toBe('hello');
  const sentAway = [await firstFrame(), await firstFrame()];
  expect(sentAway.map(({ type }) => type)).toEqual(['goodbye', 'goodbye']);
  const [first = 0, second = 0] = sentAway.map(({ retryAfterSeconds }) => retryAfterSeconds);
  expect(first).toBeGreaterThan(TURN_WAIT_SECONDS);
  expect(second).toBeGreaterThan(first + TURN_WAIT_SECONDS);
});

test('whoever speaks before it is greeted is cut off', async () => {
  await start('connects-per-second=1');
  await openSocket(server.url);
  const socket = new WebSocket(server.url.replace(/^http/, 'ws') + AGENT_PATHS.connect);
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  socket.onopen = () => socket.send('{"type":"heartbeat"}');
  await closed;
});

test('an enrolment past the rate is told when to come back', async () => {
  await start(`enrols-per-second=${0.5 / TURN_WAIT_SECONDS}`);
  const enrol = () =>
    fetch(server.url + AGENT_PATHS.enrol, {
      method: 'POST',
      body: JSON.stringify(newKey().enrolment(server.enrolToken)),
    });
  expect((await enrol()).status).toBe(200);
  const refused = await enrol();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(TURN_WAIT_SECONDS);
  expect(await refused.text()).toContain('Too many devices enrol at once');
});

test('an offer past the rate follows at a later tick', async () => {
  await start('offers-per-second=1');
  const devices = [await server.device('first'), await server.device('second')];
  const since = performance.now();
  for (const { machineId } of devices) {
    const command = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
    await server.api.post(`/api/machines/${machineId}/runliveresponse`, { Commands: [command], Comment: 'c' });
  }
  await Promise.all(devices.map((device) => device.takeOffer()));
  expect(performance.now() - since).toBeGreaterThanOrEqual(800);
});
