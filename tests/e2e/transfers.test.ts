/** Large files both ways: whole, and without the memory that they would fill. LONGARM_FULL=1 adds 4 GiB. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { appendFile, mkdtemp, open, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@longarm/testkit/api-caller';
import { type FaultProxy, openFaultProxy } from '@longarm/testkit/fault-proxy';
import { streamHash, writeLargeFile } from '@longarm/testkit/large-file';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { type Program, startProgram } from '@longarm/testkit/programs';
import { getFile, isFinal, openSite, putFile, type TestAgent, type TestSite } from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

setDefaultTimeout(600_000);

const MIB = 1_048_576;
const SIZES_MIB = process.env.LONGARM_FULL === '1' ? [256, 4_096] : [256];
/** What server and agent may each grow by over idle, whatever the size. */
const GROWTH_BYTES = 60 * MIB;
const TRANSFER_MS = 300_000;

let site: TestSite;
let agent: TestAgent;
let proxy: FaultProxy;
let behind: { readonly program: Program; readonly machineId: string };

beforeAll(async () => {
  site = await openSite(['--limit', 'library-mib=5000', '--limit', 'get-mib=5000']);
  agent = await site.agent({ env: { LONGARM_WORK_MIB: '8192' } });
  proxy = await openFaultProxy(Number(new URL(site.url).port));
  const token = join(site.folder, 'token.txt');
  const state = await mkdtemp(join(site.folder, 'behind-proxy-'));
  const server = `http://127.0.0.1:${proxy.port}`;
  const program = startProgram('longarm-agent', ['--server', server, '--token-file', token, '--state', state]);
  const [, machineId = ''] = await program.line(/connected as ([0-9a-f]{40})/);
  behind = { program, machineId };
});
afterAll(async () => {
  await behind.program.end('SIGKILL');
  await proxy.close();
  await site.close();
});

/** The raw result of the action's first command. */
const rawResult = (id: string): Promise<Response> => site.api.download(id, 0, '&raw=1');

const runToEnd = async (machineId: string, command: object): Promise<Json> => {
  const { json } = await site.run(machineId, [command]);
  return site.until(json.id, isFinal, TRANSFER_MS);
};

const intoLibrary = async (path: string, name: string): Promise<void> => {
  const form = new FormData();
  form.append('file', Bun.file(path), name);
  expect((await site.api.call('/api/libraryfiles', { method: 'POST', body: form })).status).toBe(200);
};

test.each(SIZES_MIB)('%d MiB both ways: the same bytes, in flat memory', async (mib) => {
  const name = `large-${mib}.bin`;
  const path = join(site.folder, name);
  const sha256 = await writeLargeFile(path, mib);
  await intoLibrary(path, name);
  await rm(path);
  const pids = [site.server().pid, agent.program().pid];
  // once before: the buffers that any transfer needs are not what a large one costs
  await site.api.upload('warm.bin', crypto.getRandomValues(new Uint8Array(65_536)).toHex().repeat(64));
  expect((await runToEnd(agent.machineId, putFile('warm.bin'))).status).toBe('Succeeded');
  expect((await runToEnd(agent.machineId, getFile('warm.bin'))).status).toBe('Succeeded');
  const put = await growthDuring(pids, () => runToEnd(agent.machineId, putFile(name)));
  expect(put.result).toMatchObject({ status: 'Succeeded', commands: [{ errors: [] }] });
  expect(await streamHash(Bun.file(join(agent.state, 'working-folder', name)).stream())).toBe(sha256);
  const got = await growthDuring(pids, () => runToEnd(agent.machineId, getFile(name)));
  expect(got.result.status).toBe('Succeeded');
  expect(await streamHash((await rawResult(got.result.id)).body)).toBe(sha256);
  const growthMib = [...put.growth, ...got.growth].map((bytes) => Math.round(bytes / MIB));
  console.log(`${mib} MiB: growth in MiB of server and agent: put ${growthMib.slice(0, 2)}, get ${growthMib.slice(2)}`);
  for (const [server = 0, device = 0] of [put.growth, got.growth]) {
    expect(server).toBeLessThanOrEqual(GROWTH_BYTES);
    expect(device).toBeLessThanOrEqual(GROWTH_BYTES);
  }
  await rm(join(agent.state, 'working-folder', name));
});

test('a sparse file arrives with its holes as zeros', async () => {
  const path = join(site.folder, 'sparse.bin');
  const file = await open(path, 'w');
  await file.truncate(48 * MIB);
  await file.write('in the middle', 24 * MIB);
  await file.close();
  const action = await runToEnd(agent.machineId, getFile(path));
  expect(action.status).toBe('Succeeded');
  expect(await streamHash((await rawResult(action.id)).body)).toBe(await streamHash(Bun.file(path).stream()));
});

test('a link is followed to the file that it leads to', async () => {
  const path = join(site.folder, 'target.txt');
  await Bun.write(path, 'at the end of the link');
  await symlink(path, join(site.folder, 'link.txt'));
  const action = await runToEnd(agent.machineId, getFile(join(site.folder, 'link.txt')));
  expect(await (await rawResult(action.id)).text()).toBe('at the end of the link');
});

/** Collects the file; after its first megabytes nothing goes on until `meanwhile` is done. */
const collectWhile = async (path: string, meanwhile: () => Promise<void>): Promise<Json> => {
  const manyCuts = [3 * MIB, ...Array.from({ length: 100 }, () => 100)];
  proxy.cutAfter('from-client', manyCuts);
  const { json } = await site.run(behind.machineId, [getFile(path)]);
  await until(
    async () => proxy.cutsLeft(),
    (left) => left < manyCuts.length,
  );
  await meanwhile();
  proxy.cutAfter('from-client', []);
  return site.until(json.id, isFinal, 60_000);
};

test('a file that grows while it is collected: what was appended is not part of the result', async () => {
  const path = join(site.folder, 'grows.bin');
  const sha256 = await writeLargeFile(path, 16);
  const action = await collectWhile(path, () => appendFile(path, 'appended'));
  expect(action.status).toBe('Succeeded');
  expect(await streamHash((await rawResult(action.id)).body)).toBe(sha256);
});

test('a file that shrinks while it is collected: the command fails and says at which length', async () => {
  const path = join(site.folder, 'shrinks.bin');
  await writeLargeFile(path, 16);
  const action = await collectWhile(path, () => truncate(path, 5 * MIB));
  expect(action.status).toBe('Failed');
  expect(action.commands[0].errors.join(' ')).toContain(
    `expected ${16 * MIB} bytes as when it was opened, got ${5 * MIB}`,
  );
});
