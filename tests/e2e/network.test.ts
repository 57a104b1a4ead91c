/** Bad networks between an agent and its server: half-open, cut at any byte, a captive portal, nobody there. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FaultProxy, openFaultProxy } from '@longarm/testkit/fault-proxy';
import { type Program, startProgram } from '@longarm/testkit/programs';
import { getFile, isFinal, openSite, putFile, runScript, type TestSite } from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

setDefaultTimeout(120_000);

const isFull = process.env.LONGARM_FULL === '1';
const HEARTBEAT_MS = 500;
const MIB = 1_048_576;

let site: TestSite;
beforeAll(async () => {
  site = await openSite(['--limit', `heartbeat-seconds=${HEARTBEAT_MS / 1_000}`]);
});
afterAll(() => site.close());

const programs: Program[] = [];
const proxies: FaultProxy[] = [];
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.end('SIGKILL')));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});

const newProxy = async (): Promise<FaultProxy> => {
  const proxy = await openFaultProxy(Number(new URL(site.url).port));
  proxies.push(proxy);
  return proxy;
};

type Device = { readonly proxy: FaultProxy; readonly state: string; readonly machineId: string; program: Program };

const CONNECTED = /connected as ([0-9a-f]{40})/;

const startAt = (state: string, port: number | null): Program => {
  const server = port === null ? [] : ['--server', `http://127.0.0.1:${port}`];
  const token = ['--token-file', join(site.folder, 'token.txt')];
  const program = startProgram('longarm-agent', [...server, ...token, '--state', state]);
  programs.push(program);
  return program;
};

/** An agent that reaches its server through a proxy of its own. */
const newDevice = async (): Promise<Device> => {
  const proxy = await newProxy();
  const state = await mkdtemp(join(site.folder, 'behind-proxy-'));
  const program = startAt(state, proxy.port);
  const [, machineId = ''] = await program.line(CONNECTED);
  return { proxy, state, machineId, program };
};

const restart = async (device: Device): Promise<void> => {
  await device.program.end('SIGKILL');
  device.program = startAt(device.state, device.proxy.port);
  await device.program.line(CONNECTED);
};

/** Lines about a connection that was not there: why, and how long the agent stays away. */
const absences = (program: Program): readonly { readonly reason: string; readonly retryInMs: number }[] =>
  [...program.output().matchAll(/ warn not connected reason=("(?:[^"\\]|\\.)*"|\S+) retryInMs=(\d+)/g)].map(
    ([, reason = '', retryInMs]) => ({ reason, retryInMs: Number(retryInMs) }),
  );

/** The longest that full jitter allows after so many failures in a row, milliseconds. */
const ceilingMs = (failures: number): number => Math.min(60_000, 500 * 2 ** (failures - 1));

const connections = (program: Program): number => program.output().split('connected as').length - 1;
const connectedAgain = (program: Program, before: number): Promise<number> =>
  until(
    async () => connections(program),
    (count) => count > before,
    40_000,
  );

const sha256Of = (bytes: Uint8Array): string => new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
const randomBytes = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

const runCount = async (name: string): Promise<number> =>
  (await readFile(join(site.folder, name), 'utf8').catch(() => '')).split('\n').length - 1;

test('a half-open connection is noticed within two heartbeats, and the action goes on and ends', async () => {
  const device = await newDevice();
  const { proxy, program } = device;
  const gate = join(site.folder, 'half-open-gate');
  await site.api.upload('gated.sh', `echo run >> ${site.folder}/gated\nuntil [ -e ${gate} ]; do sleep 0.05; done\n`);
  const { json } = await site.run(device.machineId, [runScript('gated.sh')]);
  // started on the device, not merely told: its script has come through the proxy
  await until(
    () => runCount('gated'),
    (runs) => runs === 1,
  );
  const before = connections(program);
  const since = performance.now();
  proxy.change({ kind: 'deaf' });
  await program.line(/the server is silent: nothing came for two heartbeats/);
  // the rest is what a busy machine takes to tell
  expect(performance.now() - since).toBeLessThan(2 * HEARTBEAT_MS + 1_000);
  await writeFile(gate, '');
  await program.line(/command finished/);
  await until(
    async () => (await site.api.call(`/api/machines/${device.machineId}`)).json.isOnline,
    (isOnline) => !isOnline,
  );
  proxy.change({ kind: 'fair' });
  await connectedAgain(program, before);
  expect((await site.until(json.id, isFinal)).status).toBe('Succeeded');
  expect(await runCount('gated')).toBe(1);
});

test('a download that is cut at many places goes on where it was, and is whole', async () => {
  const { proxy, machineId, state } = await newDevice();
  const bytes = randomBytes(16 * MIB);
  expect((await site.api.upload('large.bin', bytes)).status).toBe(200);
  proxy.cutAfter('from-server', [3_000, 70_001, 1_000_000, 5 * MIB + 3, 1]);
  const { json } = await site.run(machineId, [putFile('large.bin')]);
  expect((await site.until(json.id, isFinal, 60_000)).status).toBe('Succeeded');
  expect(proxy.cutsLeft()).toBeLessThanOrEqual(1);
  expect(sha256Of(await readFile(join(state, 'working-folder', 'large.bin')))).toBe(sha256Of(bytes));
});

test('an upload that is cut at many places goes on where it was, and nothing of it is doubled', async () => {
  const { proxy, machineId } = await newDevice();
  const bytes = randomBytes(16 * MIB);
  const path = join(site.folder, 'large-result.bin');
  await writeFile(path, bytes);
  proxy.cutAfter('from-client', [3_000, 70_001, 1_000_000, 3 * MIB + 7, 900]);
  const { json } = await site.run(machineId, [getFile(path)]);
  expect((await site.until(json.id, isFinal, 60_000)).status).toBe('Succeeded');
  expect(proxy.cutsLeft()).toBeLessThanOrEqual(1);
  const result = new Uint8Array(await (await site.api.download(json.id, 0, '&raw=1')).arrayBuffer());
  expect(result.length).toBe(bytes.length);
  expect(sha256Of(result)).toBe(sha256Of(bytes));
});

test.each([
  ['download', 'from-server', 'nothing came for two heartbeats'],
  ['upload', 'from-client', 'nobody took more of it for two heartbeats'],
] as const)(
  '%s over a connection that goes half-open: noticed within two heartbeats, and resumed',
  async (kind, direction, fault) => {
    const { proxy, machineId, program } = await newDevice();
    const bytes = randomBytes(16 * MIB);
    const path = join(site.folder, `half-open-${kind}.bin`);
    await writeFile(path, bytes);
    await site.api.upload(`half-open-${kind}.bin`, bytes);
    const deaf = proxy.deafAfter(direction, 3 * MIB);
    const command = kind === 'download' ? putFile(`half-open-${kind}.bin`) : getFile(path);
    const { json } = await site.run(machineId, [command]);
    await deaf;
    const since = performance.now();
    await program.line(new RegExp(fault));
    // the rest is what a busy machine takes to tell
    expect(performance.now() - since).toBeLessThan(2 * HEARTBEAT_MS + 1_000);
    proxy.change({ kind: 'fair' });
    const { status, commands } = await site.until(json.id, isFinal, 60_000);
    expect([status, commands[0].errors]).toEqual(['Succeeded', []]);
    // what had arrived was not sent again
    expect(proxy.passed(direction)).toBeLessThan(17 * MIB);
  },
);

test('a cut at any byte of what is said: the action ends once, having run once', async () => {
  const device = await newDevice();
  await site.api.upload('count.sh', `echo run >> ${site.folder}/$1\necho said\n`);
  const positions = isFull ? Array.from({ length: 40 }, (_, place) => 40 + 60 * place) : [150, 420, 700, 1_100, 1_700];
  for (const direction of ['from-client', 'from-server'] as const) {
    for (const position of positions) {
      // a life of its own each, so that pauses after earlier cuts do not add up
      await restart(device);
      const name = `cut-${direction}-${position}`;
      device.proxy.cutAfter(direction, [position]);
      const { json } = await site.run(device.machineId, [runScript('count.sh', name)]);
      expect((await site.until(json.id, isFinal, 30_000)).status).toBe('Succeeded');
      expect(await runCount(name)).toBe(1);
      expect(await (await site.api.download(json.id, 0)).json()).toMatchObject({ script_output: 'said\n' });
      device.proxy.cutAfter(direction, []);
    }
  }
});

test('a captive portal is named, the pauses grow, and the agent is back when it is over', async () => {
  const { proxy, program } = await newDevice();
  const before = connections(program);
  proxy.change({ kind: 'portal' });
  proxy.cutAll();
  const lines = await until(
    async () => absences(program),
    (all) => all.length >= 4,
  );
  for (const { reason } of lines.slice(1)) expect(reason).toContain('a captive portal');
  for (const [index, { retryInMs }] of lines.entries()) expect(retryInMs).toBeLessThanOrEqual(ceilingMs(index + 1));
  proxy.change({ kind: 'fair' });
  await connectedAgain(program, before);
});

test('a server that is away is asked as seldom as full jitter says, and one line tells of each attempt', async () => {
  const { proxy, program } = await newDevice();
  const before = proxy.attempts().length;
  proxy.change({ kind: 'refusing' });
  proxy.cutAll();
  // the time itself is what is looked at here
  const seconds = isFull ? 20 : 4;
  await Bun.sleep(seconds * 1_000);
  const attempts = proxy.attempts().length - before;
  const lines = absences(program);
  // even if each pause were the longest: 0.5 + 1 + 2 (+ 4 + 8) seconds
  expect(attempts).toBeGreaterThanOrEqual(isFull ? 5 : 3);
  expect(attempts).toBeLessThanOrEqual(lines.length);
  for (const [index, { retryInMs }] of lines.entries()) expect(retryInMs).toBeLessThanOrEqual(ceilingMs(index + 1));
  const pauses = lines.slice(0, attempts).reduce((sum, { retryInMs }) => sum + retryInMs, 0);
  expect(pauses).toBeLessThanOrEqual(seconds * 1_000);
});

test('a server that moved: the new address is given once, and kept', async () => {
  const device = await newDevice();
  const elsewhere = await newProxy();
  await device.program.end('SIGKILL');
  const moved = startAt(device.state, elsewhere.port);
  expect((await moved.line(CONNECTED))[1]).toBe(device.machineId);
  await moved.end('SIGKILL');
  const count = elsewhere.attempts().length;
  await startAt(device.state, null).line(CONNECTED);
  expect(elsewhere.attempts().length).toBeGreaterThan(count);
});
