/** Lockdown: nothing new is accepted or dispatched, everything is cancelled, evidence still arrives, a restart keeps it. */
import { afterEach, expect, test } from 'bun:test';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

const servers: TestServer[] = [];
const newServer = async (): Promise<TestServer> => {
  const server = await startTestServer();
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const COMMANDS = [{ type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] }];
const request = (server: TestServer, machineId: string) =>
  server.api.post(`/api/machines/${machineId}/runliveresponse`, { Commands: COMMANDS, Comment: 'case 7' });
const status = async (server: TestServer, id: string) => (await server.api.call(`/api/machineactions/${id}`)).json;

test('what runs and what waits is cancelled, the device is told, and its evidence is still taken', async () => {
  const server = await newServer();
  const device = await server.device('here');
  const away = await server.absentDevice('away');
  const { json: running } = await request(server, device.machineId);
  const { json: waiting } = await request(server, away.machineId);
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  expect(await server.admin.call('lockDown', { reason: 'stolen key' })).toEqual({ cancelled: 2 });
  for (const { id } of [running, waiting]) {
    const action = await status(server, id);
    expect([action.status, action.cancellationRequestor]).toEqual(['Cancelled', 'local administrator']);
  }
  await device.report({ kind: 'cancel-heard', actionId: offer.actionId });
  expect((await status(server, running.id)).cancellationState).toBe('Acknowledged');
  const { sha256 } = await device.upload(offer, { index: 0, stream: 'file' }, 'evidence');
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('a request is refused with a sentence until the lockdown is lifted; a restart does not lift it', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  await server.admin.call('lockDown', { reason: 'stolen key' });
  expect(await server.admin.call('lockDown', { reason: 'again' })).toEqual({ cancelled: 0 });
  for (let time = 0; time < 2; time++) {
    const refused = await request(server, device.machineId);
    expect([refused.status, refused.json.error.code]).toEqual([403, 'DisallowedOperation']);
    expect(refused.json.error.message).toContain('stolen key');
    if (time === 0) await server.restart();
  }
  expect((await server.admin.call('describeLockdown', {})).lockdown).toMatchObject({ reason: 'stolen key' });
  expect(storeRows(server.dataFolder, 'select count(*) as count from actions')).toEqual([{ count: 0 }]);
  expect(await server.admin.call('liftLockdown', {})).toEqual({ lifted: true });
  expect(await server.admin.call('liftLockdown', {})).toEqual({ lifted: false });
  expect((await request(server, device.machineId)).status).toBe(200);
  const audited = storeRows(server.dataFolder, "select event, actor from audit where event like 'lockdown.%'");
  expect(audited).toEqual([
    { event: 'lockdown.on', actor: 'local administrator' },
    { event: 'lockdown.off', actor: 'local administrator' },
  ]);
});
