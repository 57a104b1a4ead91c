/** Gateway processes that share a port: who is believed what, who is bounded, and what is left when one ends. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { longarmCommand } from '@longarm/testkit/programs';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { until } from '@longarm/testkit/until';
import { readConfig } from '../src/config.ts';
import { FILES_BESIDES } from '../src/relay/places.ts';
import { startServer, systemWorld } from '../src/start.ts';
import { openLog } from '../src/telemetry/log.ts';
import { enrolKey, openSocket } from './raw-device.ts';

const MIB = 1_048_576;
const GATEWAYS = 2;
const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };

let server: TestServer;
/** Process ids of gateways as they came up, by number. */
const pids = new Map<number, number>();
const lost: unknown[] = [];

beforeAll(async () => {
  const log = openLog('silent');
  const info = (about: { readonly gateway?: number; readonly pid?: number }) => {
    if (about.gateway !== undefined && about.pid !== undefined) pids.set(about.gateway, about.pid);
  };
  const error = (about: unknown) => void lost.push(about);
  server = await startTestServer(
    ['--gateways', String(GATEWAYS), '--metrics', '127.0.0.1:0', '--limit', 'library-mib=100'],
    { log: Object.assign(Object.create(log), { info, error }) },
  );
});
afterAll(() => server.stop());

const gatewayPids = () => [...pids.values()];

/** A device of its own, connected and welcomed. */
const connected = async () => {
  const key = await enrolKey(server.url, server.enrolToken);
  const socket = await openSocket(server.url);
  socket.send(key.prove(socket.nonce));
  await socket.frame('welcome');
  return { key, socket };
};

/** Sockets of devices by gateway, out of the metrics. */
const held = async (): Promise<readonly number[]> => {
  const text = await server.metrics();
  return Array.from({ length: GATEWAYS }, (_, place) =>
    Number(new RegExp(`^longarm_gateway_connections\\{gateway="${place}"\\} (\\d+)$`, 'm').exec(text)?.[1]),
  );
};
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

test('devices are spread over them, and counted by them', async () => {
  const devices = await Promise.all(Array.from({ length: 24 }, connected));
  const counts = await held();
  expect(sum(counts)).toBe(24);
  // one of 2^23 that a fair spread leaves one of them out
  for (const count of counts) expect(count).toBeGreaterThan(0);
  expect(await server.metrics()).toContain('longarm_requests_total{endpoint="connect",status="101"} 24');
  for (const { socket } of devices) socket.close();
  await until(held, (now) => sum(now) === 0);
});

test('one that is killed is started again; its devices are offline at once, and whoever comes back is offered what waits', async () => {
  const devices = await Promise.all(Array.from({ length: 12 }, connected));
  const before = lost.length;
  const [first = 0] = gatewayPids();
  const counts = await held();
  process.kill(first, 'SIGKILL');
  const gone = await until(
    async () => devices.filter(({ socket }) => socket.isClosed()),
    (closed) => closed.length === counts[0],
  );
  await until(
    async () => pids.get(0),
    (pid) => pid !== undefined && pid !== first,
  );
  expect(lost.slice(before)).toMatchObject([{ gateway: 0, how: 'SIGKILL', sockets: counts[0], againMs: 0 }]);
  for (const { key } of gone) {
    const isOnline = async () => (await server.api.call(`/api/machines/${key.machineId}`)).json.isOnline;
    await until(isOnline, (online) => online === false);
    const { json } = await server.api.post(`/api/machines/${key.machineId}/runliveresponse`, { Commands: [GET_FILE] });
    const again = await openSocket(server.url);
    again.send(key.prove(again.nonce));
    expect((await again.frame('offer')).actionId).toBe(json.id);
    again.close();
  }
  // those of the other one were not touched
  for (const { socket } of devices.filter(({ socket }) => !socket.isClosed())) {
    socket.send({ type: 'heartbeat' });
    await socket.frame('heartbeat');
    socket.close();
  }
  expect(await server.metrics()).toContain('longarm_gateway_ends_total{gateway="0"} 1');
});

test('the caller’s address is the one that the gateway saw, whatever headers say', async () => {
  const headers = {
    'Longarm-Relay-Address': '203.0.113.9',
    'longarm-relay-file': '/etc/passwd',
    'X-Forwarded-For': '203.0.113.9',
  };
  const key = await enrolKey(server.url, server.enrolToken, headers);
  const address = async () => (await server.api.call(`/api/machines/${key.machineId}`)).json.lastExternalIpAddress;
  expect(await address()).toBe('127.0.0.1');
  const socket = await openSocket(server.url, headers);
  socket.send(key.prove(socket.nonce));
  await socket.frame('welcome');
  expect(await address()).toBe('127.0.0.1');
  socket.close();
  // nor is what the main process tells a gateway let out
  const refused = await fetch(`${server.url}${AGENT_PATHS.enrol}`, { method: 'POST', body: '{}', headers });
  expect([refused.status, [...refused.headers.keys()].filter((name) => name.includes('relay'))]).toEqual([400, []]);
});

test('the private sockets are for this user alone, and a trunk without the secret is cut', async () => {
  const folder = join(server.dataFolder, 'relay');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder))
    expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
  const over = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    unix: join(folder, 'trunk.sock'),
    socket: { data: () => {}, close: () => over.resolve() },
  });
  socket.write(new Uint8Array([0, 0, 0, 6, 1, 0, 0, 0, 0, 7]));
  await over.promise;
  const { socket: device } = await connected();
  device.close();
});

test('no key and no secret is in a gateway’s arguments or environment', () => {
  for (const pid of gatewayPids()) {
    const read = (name: string) =>
      readFileSync(`/proc/${pid}/${name}`, 'utf8')
        .split('\0')
        .filter((part) => part !== '');
    expect(read('cmdline').at(-1)).toBe('--gateway-process');
    expect(read('environ')).toEqual(['BUN_CONFIG_MAX_HTTP_REQUESTS=8192']);
  }
});

const LARGE = 'large.bin';
const largeUrl = () => `${server.url}/api/libraryfiles/${LARGE}/content`;
const authorised = () => ({ headers: { Authorization: `Bearer ${server.api.token}` } });
/** Open files of the server, which is this process. */
const openBlobs = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`).length > 0 && statSync(`/proc/self/fd/${fd}`).size === 96 * MIB;
    } catch {
      return false;
    }
  }).length;

test('a caller who does not read holds up nobody, costs no memory, and its leaving is passed on', async () => {
  await server.api.upload(LARGE, 'x'.repeat(96 * MIB));
  const gateways = gatewayPids();
  const { growth } = await growthDuring(gateways, async () => {
    const abort = new AbortController();
    const answer = await fetch(largeUrl(), { ...authorised(), signal: abort.signal });
    const reader = answer.body?.getReader();
    await reader?.read();
    await until(
      async () => openBlobs(),
      (open) => open > 0,
    );
    // others are served meanwhile, over the same gateways
    for (let call = 0; call < 20; call++) expect((await server.api.call('/api/machines')).status).toBe(200);
    abort.abort();
    await reader?.closed.catch(() => undefined);
    await until(
      async () => openBlobs(),
      (open) => open === 0,
    );
  });
  for (const bytes of growth) expect(bytes).toBeLessThan(48 * MIB);
  const whole = await fetch(largeUrl(), authorised());
  const hash = new Bun.CryptoHasher('sha256');
  let size = 0;
  for await (const piece of whole.body ?? []) {
    hash.update(piece);
    size += piece.length;
  }
  expect(size).toBe(96 * MIB);
  expect(hash.digest('hex')).toBe(new Bun.CryptoHasher('sha256').update('x'.repeat(96 * MIB)).digest('hex'));
}, 60_000);

test('one that is full leaves the port to the other: whoever comes is not sent away', async () => {
  const places = 12;
  const few = ['sh', '-c', `ulimit -n ${FILES_BESIDES + places}; exec "$0" "$@"`, ...longarmCommand()];
  const small = await startTestServer(['--gateways', '2', '--metrics', '127.0.0.1:0'], { longarm: few });
  try {
    const heldBy = async (place: number) =>
      Number(new RegExp(`connections\\{gateway="${place}"\\} (\\d+)$`, 'm').exec(await small.metrics())?.[1]);
    const fullest = async () => Math.max(await heldBy(0), await heldBy(1));
    const come = async () => {
      const socket = await openSocket(small.url);
      const { frame } = socket;
      const key = await enrolKey(small.url, small.enrolToken);
      socket.send(key.prove(socket.nonce));
      await frame('welcome');
      return socket;
    };
    const devices: Awaited<ReturnType<typeof come>>[] = [];
    while ((await fullest()) < places) devices.push(await come());
    // until it has left, some are sent away, before they are greeted
    const comesIn = async () => {
      const socket = await openSocket(small.url).catch(() => null);
      const isGreeted = socket !== null;
      socket?.close();
      return isGreeted;
    };
    const tenInARow = async () => {
      for (let time = 0; time < 10; time++) if (!(await comesIn())) return false;
      return true;
    };
    await until(tenInARow, Boolean);
    expect(await fullest()).toBe(places);
    const [first] = devices;
    first?.send({ type: 'heartbeat' });
    await first?.frame('heartbeat');
    // the API is there with nobody left to take connections but full ones
    while ((await heldBy(0)) + (await heldBy(1)) < 2 * places) await come().catch(() => undefined);
    for (let call = 0; call < 10; call++) expect((await small.api.call('/api/machines')).status).toBe(200);
  } finally {
    await small.stop();
  }
}, 60_000);

test('an address that cannot be had is told as a sentence, and leaves no process behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-gateways-'));
  try {
    const { host } = new URL(server.url);
    const argv = ['--data', folder, '--listen', host, '--tls', 'off', '--log-level', 'silent', '--gateways', '2'];
    const start = (more: readonly string[]) =>
      startServer(readConfig([...argv, ...more], {}), openLog('silent'), systemWorld(longarmCommand()));
    await expect(start([])).rejects.toThrow();
    const long = join(folder, 'x'.repeat(90));
    await expect(start(['--data', long, '--listen', '127.0.0.1:0'])).rejects.toThrow('path is too long');
  } finally {
    await rm(folder, { recursive: true });
  }
});
