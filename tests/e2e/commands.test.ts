/** Each command on a real device: real server, agent and scripts as processes. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@longarm/testkit/api-caller';
import {
  getFile,
  isFinal,
  openSite,
  putFile,
  runScript,
  type TestAgent,
  type TestSite,
} from '@longarm/testkit/test-site';

// processes start and end here, on machines that may be busy with other tests
setDefaultTimeout(60_000);

let site: TestSite;
let agent: TestAgent;
let folder: string;

beforeAll(async () => {
  site = await openSite();
  agent = await site.agent();
  folder = await mkdtemp(join(tmpdir(), 'longarm-collect-'));
});
afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

const runToEnd = async (commands: readonly object[]) => {
  const { status, json, text } = await site.run(agent.machineId, commands);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return site.until(json.id, isFinal);
};

const scriptResult = async (id: string, index: number): Promise<Json> => (await site.api.download(id, index)).json();

test('the example that must work: a script makes a file, and the file is collected', async () => {
  await site.api.upload(
    'minidump.sh',
    `#!/bin/bash\nset -e\necho "dumping $1"\nprintf 'dump of %s' "$1" | gzip > ${folder}/$1.dmp.zip\n`,
  );
  const action = await runToEnd([
    runScript('minidump.sh', 'OfficeClickToRun'),
    getFile(`${folder}/OfficeClickToRun.dmp.zip`),
  ]);
  expect(action.status).toBe('Succeeded');
  expect(action.commands.map((command: { commandStatus: string }) => command.commandStatus)).toEqual([
    'Completed',
    'Completed',
  ]);
  expect(await scriptResult(action.id, 0)).toEqual({
    script_name: 'minidump.sh',
    exit_code: 0,
    script_output: 'dumping OfficeClickToRun\n',
    script_errors: '',
  });
  const wrapped = new Uint8Array(await (await site.api.download(action.id, 1)).arrayBuffer());
  const collected = Bun.gunzipSync(wrapped);
  expect(Buffer.from(collected)).toEqual(await readFile(`${folder}/OfficeClickToRun.dmp.zip`));
  expect(new Bun.CryptoHasher('sha256').update(collected).digest('hex')).toBe(action.commands[1].results[0].sha256);
});

test('PutFile puts it where the script finds it, and GetFile finds what the script left beside it (semantics 11)', async () => {
  await site.api.upload('data.txt', 'some data\n');
  await site.api.upload('copy.sh', '#!/bin/bash\ncp data.txt out.txt && pwd\n');
  const action = await runToEnd([putFile('data.txt'), runScript('copy.sh'), getFile('out.txt')]);
  expect(action.status).toBe('Succeeded');
  expect(Buffer.from(Bun.gunzipSync(await (await site.api.download(action.id, 2)).arrayBuffer())).toString()).toBe(
    'some data\n',
  );
  await site.api.upload('data.txt', 'other\n', { OverrideIfExists: 'true' });
  const refused = await runToEnd([putFile('data.txt', { Overwrite: 'false' })]);
  expect(refused).toMatchObject({ status: 'Failed', commands: [{ commandStatus: 'Failed' }] });
  const replaced = await runToEnd([putFile('data.txt'), getFile('data.txt')]);
  expect(Buffer.from(Bun.gunzipSync(await (await site.api.download(replaced.id, 1)).arrayBuffer())).toString()).toBe(
    'other\n',
  );
});

test('arguments arrive as the grammar splits them, and meet no shell (semantics 12)', async () => {
  await site.api.upload('args.sh', `#!/bin/bash\nfor a in "$@"; do echo "<$a>"; done\n`);
  const action = await runToEnd([runScript('args.sh', `-days 7 "two words" 'it''s' $(id) \\n`)]);
  expect((await scriptResult(action.id, 0)).script_output).toBe("<-days>\n<7>\n<two words>\n<it's>\n<$(id)>\n<\\n>\n");
});

test('a script that exits 3 has completed, and the sequence goes on (semantics 7)', async () => {
  await site.api.upload('three.sh', 'echo out; echo err >&2; exit 3');
  const action = await runToEnd([runScript('three.sh'), runScript('three.sh')]);
  expect(action).toMatchObject({
    status: 'Succeeded',
    commands: [{ commandStatus: 'Completed', exitCode: 3 }, { commandStatus: 'Completed' }],
  });
  expect(await scriptResult(action.id, 0)).toEqual({
    script_name: 'three.sh',
    exit_code: 3,
    script_output: 'out\n',
    script_errors: 'err\n',
  });
});

test('a script killed by a signal has failed with 128 + signal, and its output is there (semantics 7)', async () => {
  await site.api.upload('suicide.sh', 'echo before; kill -SEGV $$');
  const action = await runToEnd([runScript('suicide.sh'), getFile('/etc/hostname')]);
  expect(action).toMatchObject({
    status: 'Failed',
    commands: [{ commandStatus: 'Failed', exitCode: 139 }, { commandStatus: 'Created' }],
  });
  expect((await scriptResult(action.id, 0)).script_output).toBe('before\n');
});

test('scripts by kind: python, a shebang, and none of them', async () => {
  await site.api.upload('snake.py', 'import sys\nprint("py", *sys.argv[1:])');
  await site.api.upload('plain', '#!/bin/sh\necho plain "$@"\n');
  await site.api.upload('nothing.bin', 'no interpreter');
  const good = await runToEnd([runScript('snake.py', 'a b'), runScript('plain', 'c')]);
  expect((await scriptResult(good.id, 0)).script_output).toBe('py a b\n');
  expect((await scriptResult(good.id, 1)).script_output).toBe('plain c\n');
  const bad = await runToEnd([runScript('nothing.bin')]);
  expect(bad.status).toBe('Failed');
  const link = await site.api.call(`/api/machineactions/${bad.id}/GetLiveResponseResultDownloadLink(index=0)`);
  expect(link.status).toBe(400);
});

test.each([
  ['a file that is not there', () => '/nowhere/at/all'],
  ['a folder', () => '/tmp'],
  ['a FIFO', () => `${folder}/fifo`],
])('GetFile of %s fails with the reason; the later command stays Created', async (_what, path) => {
  Bun.spawnSync(['mkfifo', `${folder}/fifo`]);
  const action = await runToEnd([getFile(path()), getFile('/etc/hostname')]);
  expect(action).toMatchObject({
    status: 'Failed',
    commands: [{ commandStatus: 'Failed' }, { commandStatus: 'Created', errors: [] }],
  });
  expect(action.commands[0].errors[0].length).toBeGreaterThan(10);
});

test('a file that does not tell its size, one without bytes, and one of several MiB (semantics 13, 16)', async () => {
  await writeFile(`${folder}/empty`, '');
  await mkdir(`${folder}/größe ünd so`, { recursive: true });
  const large = crypto.getRandomValues(new Uint8Array(65_536));
  const content = Buffer.concat(Array.from({ length: 200 }, () => large));
  await writeFile(`${folder}/größe ünd so/large 1.bin`, content);
  await chmod(`${folder}/empty`, 0o600);
  const action = await runToEnd([
    getFile('/proc/version'),
    getFile(`${folder}/empty`),
    getFile(`${folder}/größe ünd so/large 1.bin`),
  ]);
  expect(action.status).toBe('Succeeded');
  expect(Buffer.from(Bun.gunzipSync(await (await site.api.download(action.id, 0)).arrayBuffer())).toString()).toContain(
    'Linux version',
  );
  expect(Bun.gunzipSync(await (await site.api.download(action.id, 1)).arrayBuffer())).toHaveLength(0);
  const response = await site.api.download(action.id, 2);
  expect(response.headers.get('content-disposition')).toMatch(/filename=large%201\.bin\.gz$/);
  expect(Buffer.from(Bun.gunzipSync(await response.arrayBuffer())).equals(content)).toBe(true);
});

test('output that is no UTF-8 never breaks the JSON, and the raw bytes are there (semantics 17)', async () => {
  await site.api.upload('bytes.sh', `printf 'a\\xff\\x00b'`);
  const action = await runToEnd([runScript('bytes.sh')]);
  expect((await scriptResult(action.id, 0)).script_output).toBe('a\ufffd\u0000b');
  const raw = new Uint8Array(await (await site.api.download(action.id, 0, '&raw=1&stream=stdout')).arrayBuffer());
  expect([...raw]).toEqual([0x61, 0xff, 0x00, 0x62]);
});
