/** A server that comes back from a backup: devices have seen higher counters than it (semantics 30). */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN_SOCKET_NAME } from '@longarm/contract/admin/operations';
import { openAdmin } from '@longarm/server/open-admin';
import { isFinal, openSite, runScript, type TestAgent, type TestSite } from '@longarm/testkit/test-site';

// processes start and end here, on machines that may be busy with other tests
setDefaultTimeout(60_000);

const sites: TestSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

const outcome = async (site: TestSite, agent: TestAgent) => {
  const { json } = await site.run(agent.machineId, [runScript('hello.sh')]);
  return await site.until(json.id, isFinal);
};

/** A site, and the backup of its data from before its device took two more actions. */
const siteWithBackup = async () => {
  const site = await openSite();
  sites.push(site);
  const [data, backup] = [join(site.folder, 'data'), join(site.folder, 'backup')];
  const agent = await site.agent();
  await site.api.upload('hello.sh', 'echo hello');
  await outcome(site, agent);
  await site.killServer();
  await rm(join(data, ADMIN_SOCKET_NAME));
  await cp(data, backup, { recursive: true });
  await site.startServer();
  for (let more = 0; more < 2; more++) expect((await outcome(site, agent)).status).toBe('Succeeded');
  await agent.kill();
  return { site, agent, data, backup };
};

test('a restored server is obeyed again once it is declared so', async () => {
  const { site, agent, data, backup } = await siteWithBackup();
  await site.killServer();
  await rm(data, { recursive: true });
  await cp(backup, data, { recursive: true });
  await site.startServer();
  await agent.start();
  const refused = await outcome(site, agent);
  expect(refused.status).toBe('Failed');
  expect(refused.commands[0].errors[0]).toContain('older than one that this device has taken');
  await site.killServer();
  const door = await openAdmin(data);
  expect(await door.call('declareRestored', {})).toEqual({ epoch: 1 });
  await door.close();
  await site.startServer();
  expect((await outcome(site, agent)).status).toBe('Succeeded');
});
