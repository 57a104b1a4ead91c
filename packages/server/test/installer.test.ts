/** What the server hands out to devices that are not its machines yet. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');
/** More than what a small answer holds. */
const LARGE = 'x'.repeat(5_000_000);

let folder: string;
const servers: TestServer[] = [];
const newServer = async (...flags: readonly string[]): Promise<TestServer> => {
  const server = await startTestServer(['--agents', folder, ...flags]);
  servers.push(server);
  return server;
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-agents-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const put = (name: string, text: string) => writeFile(join(folder, name), text);

test('an executable, without a token: whole, with its length and its hash', async () => {
  await put('longarm-agent-linux-x64', LARGE);
  const server = await newServer();
  const answer = await fetch(`${server.url}/install/agent/linux-x64`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-length')).toBe(String(LARGE.length));
  expect(answer.headers.get('etag')).toBe(`"${sha256Of(LARGE)}"`);
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="longarm-agent-linux-x64"');
  expect(sha256Of(await answer.text())).toBe(sha256Of(LARGE));
  const again = await fetch(`${server.url}/install/agent/linux-x64`, {
    headers: { 'If-None-Match': `"${sha256Of(LARGE)}"` },
  });
  expect([again.status, await again.text()]).toEqual([304, '']);
  const part = await fetch(`${server.url}/install/agent/linux-x64`, { headers: { Range: 'bytes=1-3' } });
  expect([part.status, await part.text()]).toEqual([206, 'xxx']);
  const head = await fetch(`${server.url}/install/agent/linux-x64`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(LARGE.length)]);
});

test('checksums of what is there, and of what replaces it', async () => {
  await put('longarm-agent-linux-x64', 'one');
  await put('longarm-agent-windows-x64.exe', 'two');
  await put('longarm-linux-x64', 'not an agent');
  const server = await newServer();
  const sums = async () => await (await fetch(`${server.url}/install/SHA256SUMS`)).text();
  const second = `${sha256Of('two')}  longarm-agent-windows-x64.exe\n`;
  expect(await sums()).toBe(`${sha256Of('one')}  longarm-agent-linux-x64\n${second}`);
  await put('longarm-agent-linux-x64', 'another');
  expect(await sums()).toBe(`${sha256Of('another')}  longarm-agent-linux-x64\n${second}`);
  expect(await server.admin.call('describeServer', {})).toEqual({
    url: server.url,
    caPem: null,
    targets: ['linux-x64', 'windows-x64'],
  });
});

test('one that is not what its checksum says is not handed out', async () => {
  await put('longarm-agent-linux-x64', 'damaged');
  await put('longarm-agent-darwin-x64', 'whole');
  await put(
    'SHA256SUMS',
    `${sha256Of('whole')}  longarm-agent-linux-x64\n${sha256Of('whole')}  longarm-agent-darwin-x64\n`,
  );
  const server = await newServer();
  const answer = await fetch(`${server.url}/install/agent/linux-x64`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining('not what SHA256SUMS') } });
  expect(await (await fetch(`${server.url}/install/SHA256SUMS`)).text()).toBe(
    `${sha256Of('whole')}  longarm-agent-darwin-x64\n`,
  );
});

describe('what is not there is a sentence', () => {
  test.each(['/install/agent/linux-x64', '/install/SHA256SUMS'])('%s', async (path) => {
    const server = await newServer();
    const answer = await fetch(server.url + path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      error: { code: 'ResourceNotFound', message: expect.stringContaining('--agents DIR') },
    });
  });

  test('a folder that is not there, from a checkout no folder at all, a target that nobody knows, another method', async () => {
    const server = await startTestServer();
    servers.push(server);
    expect((await fetch(`${server.url}/install/agent/linux-x64`)).status).toBe(404);
    expect((await fetch(`${server.url}/install/agent/..%2fkeys`)).status).toBe(404);
    expect((await fetch(`${server.url}/install.sh`, { method: 'POST' })).status).toBe(404);
  });
});

test('the scripts are there without executables', async () => {
  const server = await newServer();
  expect(await (await fetch(`${server.url}/install.sh`)).text()).toStartWith('#!/bin/sh\n');
  const windows = await (await fetch(`${server.url}/install.ps1`)).text();
  expect(windows).toContain("Get-FromServer '/install/agent/windows-x64' $agent");
  expect(windows).toContain("-match '  longarm-agent-windows-x64\\.exe$'");
});

test.if(Bun.which('shellcheck') !== null)('shellcheck finds no fault in install.sh', async () => {
  const server = await newServer();
  const path = join(folder, 'install.sh');
  await writeFile(path, await (await fetch(`${server.url}/install.sh`)).text());
  // `local` would not be POSIX; names without braces are clear enough
  const done = Bun.spawnSync(['shellcheck', '--shell=sh', path], { stdout: 'pipe' });
  expect(done.stdout.toString()).toBe('');
});

test('from one address so many calls a minute, then 429 with when to come again', async () => {
  const server = await newServer();
  const call = () => fetch(`${server.url}/install.sh`);
  for (let calls = 0; calls < 300; calls++) expect((await call()).status).toBe(200);
  const refused = await call();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
});
