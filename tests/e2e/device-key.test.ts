/**
 * A device's key is followed by another, whatever crashes meanwhile: it comes back with one that the server goes by.
 * LONGARM_FULL=1 crashes at every step; an ordinary run at those on both sides of what becomes durable.
 */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Program, startProgram } from '@longarm/testkit/programs';
import { until } from '@longarm/testkit/until';
import { openTlsSite, type TlsAgent, type TlsSite } from './fixtures/tls-site.ts';

setDefaultTimeout(240_000);
const isFull = process.env.LONGARM_FULL === '1';

let site: TlsSite;
let crashFolder: string;
const env = () => ({ CRASH_FOLDER: crashFolder });
const fixture = (name: string) => join(import.meta.dir, 'fixtures', name);

beforeEach(async () => {
  crashFolder = join(process.env.TMPDIR ?? '/tmp', `longarm-crash-${crypto.randomUUID()}`);
  await mkdir(crashFolder);
  site = await openTlsSite({
    limits: ['heartbeat-seconds=0.5'],
    server: { preload: fixture('crash-server.ts'), env: env() },
    agent: ['--key-days', '30'],
  });
});
afterEach(() => site.close());

const numbers = async (agent: TlsAgent): Promise<readonly number[]> => {
  const { entries } = await site.admin.call('readAudit', { after: 0 });
  return entries
    .filter(({ event, subject }) => event === 'machine.key-rotated' && subject === agent.machineId)
    .map(({ detail }) => JSON.parse(detail).number);
};
const untilRotated = (agent: TlsAgent, times: number) =>
  until(
    () => numbers(agent),
    (are) => are.length >= times,
    60_000,
  );
const keyOf = (agent: TlsAgent) => readFile(join(agent.state, 'key.pem'), 'utf8');
const hasNext = ({ state }: TlsAgent) => existsSync(join(state, 'key.next.pem'));
/** The device has settled on one key, and connects with it anew. */
const expectSettled = async (agent: TlsAgent, times: number): Promise<void> => {
  await untilRotated(agent, times);
  await until(
    async () => hasNext(agent),
    (is) => !is,
    60_000,
  );
  await agent.kill();
  await agent.start();
  expect(await numbers(agent)).toEqual(Array.from({ length: times }, (_, index) => index + 2));
  expect((await agent.identity()).machineId).toBe(agent.machineId);
};
const rotateHere = (agent: TlsAgent): Program => startProgram('longarm-agent', ['rotate-key', '--state', agent.state]);

test('on the administrator’s word, on the device’s own, and by age', async () => {
  const agent = await site.agent();
  const first = await keyOf(agent);
  await site.admin.call('wantKey', { machine: agent.machineId });
  await expectSettled(agent, 1);
  expect(await keyOf(agent)).not.toBe(first);
  const asked = rotateHere(agent);
  expect(await asked.ended).toBe(0);
  expect(asked.output()).toContain(`another key of machine ${agent.machineId} is wanted: the agent (process `);
  await expectSettled(agent, 2);
  // while it is away
  await agent.kill();
  const left = rotateHere(agent);
  expect(await left.ended).toBe(0);
  expect(left.output()).toContain('when it runs and is connected');
  await agent.start();
  await expectSettled(agent, 3);
  await agent.kill();
  const old = new Date(Date.now() - 31 * 86_400_000);
  await utimes(join(agent.state, 'key.pem'), old, old);
  await agent.start();
  await expectSettled(agent, 4);
  const nowhere = startProgram('longarm-agent', ['rotate-key', '--state', join(site.folder, 'nowhere')]);
  expect([await nowhere.ended, nowhere.output()]).toEqual([
    2,
    expect.stringContaining('expected the state folder of an enrolled device'),
  ]);
});

/** In the order in which they come. */
const AGENT_STEPS = [
  ...(isFull ? ['before handling renew-key', 'before the rename to key.next.pem'] : []),
  'after the rename to key.next.pem',
  ...(isFull ? ['before sending new-key ', 'after sending new-key '] : []),
  'before handling key-kept',
  ...(isFull ? ['before the rename to key.receipt'] : []),
  'after the rename to key.receipt',
  ...(isFull ? ['before the rename to key.pem'] : []),
  'after the rename to key.pem',
  ...(isFull ? ['before the removal of key.wanted', 'after handling key-kept'] : []),
];
test('kill -9 of the agent at each step, and of the server with it where both know a key', async () => {
  const options = { preload: fixture('crash-at-step.ts'), env: env() };
  const agent = await site.agent(undefined, options);
  for (const [place, step] of AGENT_STEPS.entries()) {
    await agent.kill();
    await writeFile(join(crashFolder, 'crash-at'), step);
    await site.admin.call('wantKey', { machine: agent.machineId });
    expect([step, await agent.begin(options).ended]).toEqual([step, 'SIGKILL']);
    if (place % 3 === 0) {
      await site.killServer();
      await site.startServer();
    }
    await agent.start(options);
    await expectSettled(agent, place + 1);
  }
});

const SERVER_STEPS = [
  ...(isFull ? ['before sending renew-key', 'after sending renew-key'] : []),
  'before handling new-key',
  // it is stored by then
  'before sending key-kept',
  ...(isFull ? ['after sending key-kept'] : []),
];
test('kill -9 of the server at each step', async () => {
  const agent = await site.agent();
  for (const [place, step] of SERVER_STEPS.entries()) {
    const server = site.server();
    await writeFile(join(crashFolder, 'server-crash-at'), step);
    // the answer may be lost with the server that was killed
    await site.admin.call('wantKey', { machine: agent.machineId }).catch(() => {});
    expect([step, await server.ended]).toEqual([step, 'SIGKILL']);
    await site.startServer();
    // half of them by a device that remembers, half by one that reads what it has on its disk
    if (place % 2 === 0) {
      await agent.kill();
      await agent.start();
    }
    await expectSettled(agent, place + 1);
  }
});
