/** A server with gateways as programs: real agents, kill -9 of every part, and the suites that it shares with one without. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '@longarm/testkit/is-alive';
import { isFinal, openSite, runScript, type TestSite } from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

setDefaultTimeout(240_000);

const ROOT = join(import.meta.dir, '../..');
const sites: TestSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

const open = async (): Promise<TestSite> => {
  const site = await openSite(['--gateways', '2']);
  sites.push(site);
  return site;
};

/** Gateway processes of the server, by /proc (proc(5)). */
const gatewaysOf = (parent: number): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(ppid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--gateway-process');
      } catch {
        return false;
      }
    });

test('while gateways are killed again and again, every action ends and runs once', async () => {
  const site = await open();
  const traces = join(site.folder, 'traces');
  const agents = [await site.agent(), await site.agent(), await site.agent()];
  await site.api.upload('once.sh', `#!/bin/sh\necho "$1" >> ${traces}\nsleep 0.2\necho done "$1"\n`);
  const names: string[] = [];
  const runAll = async (machineId: string, place: number) => {
    for (let round = 0; round < 5; round++) {
      const name = `a${place}r${round}`;
      names.push(name);
      const { json } = await until(
        () => site.run(machineId, [runScript('once.sh', name)], { 'Idempotency-Key': name }).catch(() => null),
        (answer) => answer?.status === 200,
      ).then((answer) => answer ?? { json: null });
      const ended = await until(
        () => site.action(json.id).catch(() => null),
        (action) => action !== null && isFinal(action),
        60_000,
      );
      expect([name, ended?.status]).toEqual([name, 'Succeeded']);
    }
  };
  const all = Promise.all(agents.map(({ machineId }, place) => runAll(machineId, place)));
  let isOver = false;
  const over = all.finally(() => {
    isOver = true;
  });
  const killed = new Set<number>();
  for (let time = 0; !isOver && time < 6; time++) {
    const fresh = await until(
      async () => gatewaysOf(site.server().pid).filter((pid) => !killed.has(pid)),
      (pids) => pids.length === 2 || isOver,
    );
    const victim = fresh[time % 2];
    if (victim === undefined) break;
    killed.add(victim);
    process.kill(victim, 'SIGKILL');
    // the next one when somebody has come back
    await until(
      async () =>
        (await site.api.call('/api/machines?$filter=isOnline eq true').catch(() => null))?.json?.value?.length,
      (online) => Number(online) > 0 || isOver,
    );
  }
  await over;
  expect(killed.size).toBeGreaterThan(1);
  const lines = (await readFile(traces, 'utf8')).trim().split('\n');
  expect(lines.toSorted()).toEqual(names.toSorted());
});

test('the main process is killed: its gateways end, and the next one has the port and the agents', async () => {
  const site = await open();
  const agent = await site.agent();
  const before = gatewaysOf(site.server().pid);
  expect(before).toHaveLength(2);
  await site.killServer();
  await until(
    async () => before.filter(isAlive),
    (alive) => alive.length === 0,
  );
  await site.startServer();
  await site.api.upload('a.sh', '#!/bin/sh\necho hello\n');
  const { json } = await site.run(agent.machineId, [runScript('a.sh')]);
  expect((await site.until(json.id, isFinal, 60_000)).status).toBe('Succeeded');
});

test('told to stop, by a signal to the whole group or to it alone, it ends with its gateways and no word of a fault', async () => {
  const site = await open();
  const gateways = gatewaysOf(site.server().pid);
  for (const pid of gateways) process.kill(pid, 'SIGTERM');
  expect(await site.server().end('SIGTERM')).toBe(0);
  expect(gateways.filter(isAlive)).toEqual([]);
  expect(site.server().output()).not.toContain('gateway process ended');
});

/** Suites that say the same of a server with gateways: some of them always, all of them by LONGARM_FULL=1. */
const SUITES = ['gateway', 'hostile-device', 'tls'].map((name) => `packages/server/test/${name}.test.ts`);
const MORE = [
  ...['flood', 'transfer', 'sessions', 'live-response', 'lockdown', 'installer', 'door', 'library', 'browser'].map(
    (name) => `packages/server/test/${name}.test.ts`,
  ),
  ...['transfers', 'live-output', 'trust', 'network', 'commands'].map((name) => `tests/e2e/${name}.test.ts`),
];

test.each(process.env.LONGARM_FULL === '1' ? [...SUITES, ...MORE] : SUITES)(
  '%s, through two gateways',
  async (suite) => {
    const command = [process.execPath, '--no-install', 'test', '--timeout=120000', '--only-failures', `./${suite}`];
    const env = { ...process.env, LONGARM_TEST_GATEWAYS: '2', LONGARM_FULL: '' };
    const child = Bun.spawn(command, { cwd: ROOT, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([code, code === 0 ? '' : out + err]).toEqual([0, '']);
  },
);
