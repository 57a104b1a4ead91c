/** What a server says after it was restored is newer than all it said before (semantics 30). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const body = { Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] }], Comment: 'c' };

test('an action that was offered under the old epoch is offered under the new one, signed anew, with a counter that rose', async () => {
  const device = await server.device();
  await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, body);
  const before = await device.takeOffer();
  expect(await server.admin.call('declareRestored', {})).toEqual({ epoch: 1 });
  await device.disconnect();
  await device.connect();
  const after = await device.takeOffer();
  expect(after.actionId).toBe(before.actionId);
  expect([before.payload.epoch, after.payload.epoch]).toEqual([0, 1]);
  expect(after.payload.counter).toBeGreaterThan(before.payload.counter);
  await device.disconnect();
  await device.connect();
  // and from then on it is the same bytes again
  expect((await device.takeOffer()).envelope).toBe(after.envelope);
  expect(storeRows(server.dataFolder, "select subject from audit where event = 'store.restored'")).toEqual([
    { subject: 'epoch 1' },
  ]);
});
