/** kill -9 of the server while a lockdown cancels what waits: the lockdown stands, and the next start ends the rest of it. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { getFile, openSite, type TestSite } from '@longarm/testkit/test-site';
import { storeRows } from '../../packages/server/test/store-rows.ts';

// processes start and end here, on machines that may be busy with other tests
setDefaultTimeout(120_000);

const sites: TestSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

/** More than are cancelled in one unit, several times over. */
const ACTIONS = 1_200;

const counts = (site: TestSite): Readonly<Record<string, number>> => {
  const rows = storeRows(join(site.folder, 'data'), 'select status, count(*) as count from actions group by status');
  return Object.fromEntries(rows.map(({ status, count }) => [String(status), Number(count)]));
};

test('a lockdown that was killed while it cancelled is whole after the next start', async () => {
  const site = await openSite(['--limit', `queued-per-machine=${ACTIONS}`]);
  sites.push(site);
  const { token: enrolToken } = await site.admin.call('createEnrolToken', { tags: [], maxUses: 1, validHours: null });
  const { machineId } = await ScriptedDevice.enrol({ server: site.url, enrolToken, name: 'away' });
  const lane = async () => {
    for (let place = 0; place < ACTIONS / 20; place++)
      expect((await site.run(machineId, [getFile('/tmp/x')])).status).toBe(200);
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  expect(counts(site)).toEqual({ Pending: ACTIONS });
  // it is killed in the midst: some are cancelled, and some are not
  const locking = site.admin.call('lockDown', { reason: 'stolen key' }).catch(() => 'cut off');
  const deadline = performance.now() + 30_000;
  while ((counts(site).Cancelled ?? 0) === 0 && performance.now() < deadline) await Bun.sleep(1);
  await site.killServer();
  expect(await locking).toBe('cut off');
  const { Pending: left = 0, Cancelled: cancelled = 0 } = counts(site);
  expect(cancelled).toBeGreaterThan(0);
  expect(left).toBeGreaterThan(0);
  await site.startServer();
  expect(counts(site)).toEqual({ Cancelled: ACTIONS });
  expect((await site.run(machineId, [getFile('/tmp/x')])).json.error.code).toBe('DisallowedOperation');
  const audited = (event: string) =>
    storeRows(join(site.folder, 'data'), 'select count(*) as count from audit where event = ?', event)[0]?.count;
  expect([audited('lockdown.on'), audited('action.Cancelled')]).toEqual([1, ACTIONS]);
  expect(site.server().output()).toContain('LOCKDOWN is on');
});
