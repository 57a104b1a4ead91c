/** Lockdown: nothing new is accepted or dispatched, everything is cancelled, evidence still arrives, a restart keeps it. */
import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

// servers start and stop here, on machines that may be busy with other tests
setDefaultTimeout(30_000);

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

test('an offer that its device has and has not accepted is cancelled, and what the device makes of it comes too late', async () => {
  const server = await newServer();
  const device = await server.device('here');
  const { json } = await request(server, device.machineId);
  const { actionId } = await device.takeOffer();
  expect((await status(server, json.id)).status).toBe('Pending');
  expect(await server.admin.call('lockDown', { reason: 'stolen key' })).toEqual({ cancelled: 1 });
  expect((await device.take('cancel')).actionId).toBe(actionId);
  // it may run there by now, so the session is held until the device has said that it does not
  expect(await status(server, json.id)).toMatchObject({ status: 'Cancelled', cancellationState: 'Requested' });
  await device.report({ kind: 'accepted', actionId });
  expect((await device.take('cancel')).actionId).toBe(actionId);
  await device.report({ kind: 'action-ended', actionId, how: 'cancelled' });
  expect(await status(server, json.id)).toMatchObject({ status: 'Cancelled', cancellationState: 'Effective' });
});

test('an offer that went to a device that is gone is not made again when it comes back, nor after the lockdown', async () => {
  const server = await newServer();
  const device = await server.device('here');
  const { json } = await request(server, device.machineId);
  const { actionId } = await device.takeOffer();
  await device.disconnect();
  await server.admin.call('lockDown', { reason: 'stolen key' });
  await device.connect();
  await server.admin.call('liftLockdown', {});
  const { json: next } = await request(server, device.machineId);
  // it never journaled the first one, so that one is over, and the next one comes
  expect((await device.takeOffer()).actionId).toBe(next.id);
  expect(await status(server, json.id)).toMatchObject({
    id: actionId,
    status: 'Cancelled',
    cancellationState: 'Effective',
  });
});

test('what a lockdown refuses is in the audit', async () => {
  const server = await newServer();
  const device = await server.absentDevice();
  await server.admin.call('lockDown', { reason: 'stolen key' });
  for (let time = 0; time < 3; time++) await request(server, device.machineId);
  await server.restart();
  const [refused, ...others] = storeRows(server.dataFolder, "select * from audit where event = 'request.refused'");
  expect(others).toEqual([]);
  expect(refused?.actor).toBe('analyst@example.org');
  const detail = JSON.parse(String(refused?.detail));
  expect(detail).toMatchObject({ code: 'DisallowedOperation', count: 3, about: device.machineId });
});
