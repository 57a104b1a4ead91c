/** TLS between agent and server, with the authority that enrolment pinned and nobody else. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@longarm/server/open-admin';
import { apiCaller, type Json } from '@longarm/testkit/api-caller';
import { openConnectProxy } from '@longarm/testkit/connect-proxy';
import { type Program, startProgram } from '@longarm/testkit/programs';
import { getFile, isFinal, putFile, runScript } from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

setDefaultTimeout(60_000);

const programs: Program[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.end('SIGKILL')));
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const started = (program: Program): Program => {
  programs.push(program);
  return program;
};

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-trust-'));
  folders.push(folder);
  return folder;
};

/** A server with a certificate authority of its own; port 0 lets the system choose. */
const startServer = async (
  data: string,
  port: number,
): Promise<{ readonly program: Program; readonly port: number }> => {
  const args = ['server', '--data', data, '--listen', `127.0.0.1:${port}`, '--log-level', 'error'];
  const program = started(startProgram('longarm', args));
  const [, bound] = await program.line(/^listening on https:\/\/127\.0\.0\.1:(\d+)/m);
  return { program, port: Number(bound) };
};

const CONNECTED = /connected as [0-9a-f]{40}/;

test('another server on the same port is not believed; the agent says so, and is back when its own is', async () => {
  const [own, other, state] = await Promise.all([newFolder(), newFolder(), newFolder()]);
  const first = await startServer(own, 0);
  const { token } = await (await openAdmin(own)).call('createEnrolToken', { tags: [], maxUses: 1, validHours: null });
  const url = `https://127.0.0.1:${first.port}`;
  const agent = started(startProgram('longarm-agent', ['--server', url, '--token', token, '--state', state]));
  await agent.line(CONNECTED);
  await first.program.end('SIGKILL');
  const impostor = await startServer(other, first.port);
  const refusals = () =>
    agent.output().match(/ warn not connected reason=[^\n]*certificate[^\n]* retryInMs=\d+/gi) ?? [];
  await until(
    async () => refusals().length,
    (count) => count >= 2,
  );
  expect(agent.output().split('connected as')).toHaveLength(2);
  await impostor.program.end('SIGKILL');
  await startServer(own, first.port);
  await until(
    async () => agent.output().split('connected as').length,
    (count) => count === 3,
    40_000,
  );
});

test('through an HTTP proxy, the certificate is checked end to end', async () => {
  const [own, state] = await Promise.all([newFolder(), newFolder()]);
  const { port } = await startServer(own, 0);
  const { token } = await (await openAdmin(own)).call('createEnrolToken', { tags: [], maxUses: 1, validHours: null });
  const proxy = await openConnectProxy();
  try {
    const args = ['--server', `https://127.0.0.1:${port}`, '--token', token, '--state', state];
    const agent = started(startProgram('longarm-agent', [...args, '--proxy', proxy.url]));
    await agent.line(CONNECTED);
    // the authority, the enrolment and the socket, each in a tunnel of its own or kept
    expect(proxy.tunnels().length).toBeGreaterThanOrEqual(2);
    expect(new Set(proxy.tunnels())).toEqual(new Set([`127.0.0.1:${port}`]));
    await agent.end();
    const before = proxy.tunnels().length;
    const env = { HTTPS_PROXY: proxy.url };
    const again = started(startProgram('longarm-agent', ['--state', state], { env }));
    await again.line(CONNECTED);
    expect(proxy.tunnels().length).toBeGreaterThan(before);
    await again.end();
    const after = proxy.tunnels().length;
    const direct = started(
      startProgram('longarm-agent', ['--state', state], { env: { ...env, NO_PROXY: '127.0.0.1' } }),
    );
    await direct.line(CONNECTED);
    expect(proxy.tunnels()).toHaveLength(after);
  } finally {
    await proxy.close();
  }
});

test('through an HTTP proxy: a device enrols, and a whole action, with files both ways', async () => {
  const [own, state] = await Promise.all([newFolder(), newFolder()]);
  const { port } = await startServer(own, 0);
  const url = `https://127.0.0.1:${port}`;
  const admin = await openAdmin(own);
  const { token } = await admin.call('createEnrolToken', { tags: [], maxUses: 1, validHours: null });
  const ca = await readFile(join(own, 'tls', 'ca.pem'), 'utf8');
  const transport = (at: string, init: RequestInit) => fetch(at, { ...init, tls: { ca } });
  const api = await apiCaller({ server: url, admin, transport });
  const proxy = await openConnectProxy();
  try {
    const args = ['--server', url, '--token', token, '--state', state, '--proxy', proxy.url];
    const agent = started(startProgram('longarm-agent', args));
    const [, machineId = ''] = await agent.line(/connected as ([0-9a-f]{40})/);
    const content = 'what goes there and comes back\n'.repeat(100_000);
    await api.upload('there.txt', content);
    await api.upload('turn.sh', 'tac "$1" > back.txt\nwc -c < back.txt\n');
    const before = proxy.carriedBytes();
    const { json } = await api.post(`/api/machines/${machineId}/runliveresponse`, {
      Commands: [putFile('there.txt'), runScript('turn.sh', 'there.txt'), getFile('back.txt')],
      Comment: 'through a proxy',
    });
    const action = await until(async () => (await api.call(`/api/machineactions/${json.id}`)).json, isFinal);
    expect([action.status, action.commands.flatMap((command: Json) => command.errors)]).toEqual(['Succeeded', []]);
    expect(await (await api.download(json.id, 1)).json()).toMatchObject({ script_output: `${content.length}\n` });
    expect(await (await api.download(json.id, 2, '&raw=1')).text()).toBe(content);
    // down and up; on which connection is the runtime's affair
    expect(proxy.carriedBytes() - before).toBeGreaterThan(2 * content.length);
    expect(new Set(proxy.tunnels())).toEqual(new Set([`127.0.0.1:${port}`]));
  } finally {
    await proxy.close();
  }
});
