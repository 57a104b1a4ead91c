/** kill -9 of server and agent in the middle of things: nothing is lost, nothing runs twice. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '@longarm/testkit/is-alive';
import { isFinal, openSite, runScript, type TestSite } from '@longarm/testkit/test-site';
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

/** A script that counts its runs, says its pid, and waits for a file before it ends. */
const gated = (folder: string) =>
  `echo run >> ${folder}/runs; echo $$ > ${folder}/pid; echo begun\nuntil [ -e ${folder}/gate ]; do sleep 0.05; done\necho ended\n`;
const runs = async (folder: string) => (await readFile(join(folder, 'runs'), 'utf8')).split('\n').length - 1;
const begun = (folder: string) =>
  until(
    async () => Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => '')),
    (pid) => pid > 0,
  );

test('kill -9 of the server in the middle of a script: the script runs on, once, and its result arrives', async () => {
  const site = await newSite();
  const agent = await site.agent();
  await site.api.upload('gated.sh', gated(site.folder));
  const { json } = await site.run(agent.machineId, [runScript('gated.sh')]);
  await begun(site.folder);
  await site.killServer();
  await writeFile(join(site.folder, 'gate'), '');
  await site.startServer();
  const action = await site.until(json.id, isFinal, 30_000);
  expect(action.status).toBe('Succeeded');
  expect(await (await site.api.download(json.id, 0)).json()).toMatchObject({
    exit_code: 0,
    script_output: 'begun\nended\n',
  });
  expect(await runs(site.folder)).toBe(1);
});

test('kill -9 of the agent in the middle of a script: what survived is killed, and it is interrupted, not repeated (semantics 8)', async () => {
  const site = await newSite();
  const agent = await site.agent();
  await site.api.upload('gated.sh', gated(site.folder));
  const { json } = await site.run(agent.machineId, [runScript('gated.sh'), runScript('gated.sh')]);
  const script = await begun(site.folder);
  await site.until(json.id, (action) => action.commands[0].commandStatus === 'Executing');
  // the script says its pid before it says anything; what it said is the agent's once it is on its disk
  const spooled = () => readFile(join(agent.state, 'spool', `${json.id}-0-stdout`), 'utf8').catch(() => '');
  await until(spooled, (text) => text === 'begun\n');
  await agent.kill();
  expect(isAlive(script)).toBe(true);
  await agent.start();
  const action = await site.until(json.id, isFinal);
  expect(action).toMatchObject({
    status: 'Failed',
    commands: [{ commandStatus: 'Failed' }, { commandStatus: 'Created' }],
  });
  expect(action.commands[0].errors.join(' ')).toContain('interrupted: the agent restarted');
  expect(isAlive(script)).toBe(false);
  expect(await runs(site.folder)).toBe(1);
  expect(await (await site.api.download(json.id, 0)).json()).toMatchObject({ script_output: 'begun\n' });
});

test('kill -9 of both: the action ends, once', async () => {
  const site = await newSite();
  const agent = await site.agent();
  await site.api.upload('gated.sh', gated(site.folder));
  const { json } = await site.run(agent.machineId, [runScript('gated.sh')]);
  await begun(site.folder);
  await Promise.all([agent.kill(), site.killServer()]);
  await site.startServer();
  await agent.start();
  const action = await site.until(json.id, isFinal);
  expect(action.status).toBe('Failed');
  expect(await runs(site.folder)).toBe(1);
});

test('a queue survives kill -9 of the server', async () => {
  const site = await newSite('--limit', 'queued-per-machine=3');
  const agent = await site.agent();
  await agent.kill();
  await site.api.upload('count.sh', `echo run >> ${site.folder}/runs`);
  const ids: string[] = [];
  for (let place = 0; place < 3; place++) ids.push((await site.run(agent.machineId, [runScript('count.sh')])).json.id);
  await site.crashServer();
  await agent.start();
  for (const id of ids) expect((await site.until(id, isFinal)).status).toBe('Succeeded');
  expect(await runs(site.folder)).toBe(3);
});

test('the result waits on the device while the server is away, and arrives', async () => {
  const site = await newSite();
  const agent = await site.agent();
  await site.api.upload('gated.sh', gated(site.folder));
  const { json } = await site.run(agent.machineId, [runScript('gated.sh')]);
  await begun(site.folder);
  await site.killServer();
  await writeFile(join(site.folder, 'gate'), '');
  await agent.program().line(/command finished/);
  await agent.kill();
  const restarting = agent.start();
  await site.startServer();
  await restarting;
  expect((await site.until(json.id, isFinal)).status).toBe('Succeeded');
  expect(await runs(site.folder)).toBe(1);
});
