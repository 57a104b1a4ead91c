/** Deadlines, cancels and absences, on real processes with shortened limits. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '@longarm/testkit/is-alive';
import { getFile, isFinal, openSite, runScript, type TestSite } from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

// processes start and end here, on machines that may be busy with other tests
setDefaultTimeout(60_000);

const sites: TestSite[] = [];
const newSite = async (...flags: string[]): Promise<TestSite> => {
  const site = await openSite(flags);
  sites.push(site);
  return site;
};
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

/** The pid that a script wrote, as soon as it has. */
const pidFrom = (path: string): Promise<number> =>
  until(
    async () => Number(await readFile(path, 'utf8').catch(() => '')),
    (pid) => pid > 0,
  );

test('a script that outlives its limit ends, with a child that ignores SIGTERM; its output is kept', async () => {
  const site = await newSite('--limit', 'script-seconds=1');
  const agent = await site.agent();
  const pidFile = join(site.folder, 'child.pid');
  await site.api.upload(
    'long.sh',
    `echo started\n(trap '' TERM; echo $BASHPID > ${pidFile}; while :; do read -t 1 <> <(:); done) &\nwait\n`,
  );
  const { json } = await site.run(agent.machineId, [runScript('long.sh'), getFile('/etc/hostname')]);
  const child = await pidFrom(pidFile);
  const action = await site.until(json.id, isFinal, 30_000);
  expect(action).toMatchObject({
    status: 'Failed',
    commands: [{ commandStatus: 'Failed' }, { commandStatus: 'Created' }],
  });
  expect(action.commands[0].errors.join(' ')).toContain('timed out after 1 s');
  expect(action.commands[0].exitCode).toBeGreaterThan(128);
  expect(await (await site.api.download(action.id, 0)).json()).toMatchObject({ script_output: 'started\n' });
  expect(isAlive(child)).toBe(false);
});

test('cancel while pending, and while running (semantics 5)', async () => {
  const site = await newSite();
  const agent = await site.agent();
  const pidFile = join(site.folder, 'script.pid');
  await site.api.upload('forever.sh', `echo $$ > ${pidFile}; echo going; while :; do sleep 0.1; done\n`);
  const { json: running } = await site.run(agent.machineId, [runScript('forever.sh'), getFile('/etc/hostname')]);
  const script = await pidFrom(pidFile);
  const cancelled = await site.api.post(`/api/machineactions/${running.id}/cancel`, { Comment: 'enough' });
  expect(cancelled.json).toMatchObject({
    status: 'Cancelled',
    commands: [{ commandStatus: 'Failed' }, { commandStatus: 'Created' }],
  });
  const effective = await site.until(running.id, (action) => action.cancellationState === 'Effective');
  expect(effective.status).toBe('Cancelled');
  expect(isAlive(script)).toBe(false);
  expect(await (await site.api.download(running.id, 0)).json()).toMatchObject({ script_output: 'going\n' });
  await agent.kill();
  const { json: pending } = await site.run(agent.machineId, [getFile('/etc/hostname')]);
  const atOnce = await site.api.post(`/api/machineactions/${pending.id}/cancel`, { Comment: 'no' });
  expect(atOnce.json).toMatchObject({ status: 'Cancelled', commands: [{ errors: ['cancelled before it started'] }] });
  await agent.start();
  const { json: next } = await site.run(agent.machineId, [getFile('/etc/hostname')]);
  expect((await site.until(next.id, isFinal)).status).toBe('Succeeded');
});

test('a device that is off when the request comes gets it when it starts', async () => {
  const site = await newSite();
  const agent = await site.agent();
  await agent.kill();
  await until(
    async () => (await site.api.call(`/api/machines/${agent.machineId}`)).json.isOnline,
    (isOnline) => isOnline === false,
  );
  const { json } = await site.run(agent.machineId, [getFile('/etc/hostname')]);
  expect((await site.action(json.id)).status).toBe('Pending');
  await agent.start();
  expect((await site.until(json.id, isFinal)).status).toBe('Succeeded');
});

test('the queue of a device that stays away runs out (semantics 3)', async () => {
  const site = await newSite('--limit', 'queue-hours=0.0003');
  const agent = await site.agent();
  await agent.kill();
  const { json } = await site.run(agent.machineId, [getFile('/etc/hostname')]);
  const action = await site.until(json.id, isFinal);
  expect(action).toMatchObject({ status: 'TimeOut', commands: [{ commandStatus: 'Failed' }] });
});

test("a device whose clock is four hours wrong works, and its times are the server's (semantics 31)", async () => {
  const site = await newSite();
  for (const hours of ['4', '-4']) {
    const agent = await site.agent({
      preload: join(import.meta.dir, 'fixtures/wrong-clock.ts'),
      env: { CLOCK_OFF_HOURS: hours },
    });
    const { json } = await site.run(agent.machineId, [getFile('/etc/hostname')]);
    const action = await site.until(json.id, isFinal);
    expect(action.status).toBe('Succeeded');
    for (const moment of [action.commands[0].startTime, action.commands[0].endTime]) {
      expect(Math.abs(Date.parse(moment) - Date.now())).toBeLessThan(60_000);
    }
  }
});
