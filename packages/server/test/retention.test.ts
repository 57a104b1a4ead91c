/** Retention (semantics 19): results go after their time, what is still needed stays, and the record of it all. */
import { Database } from 'bun:sqlite';
import { afterEach, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Sha256 } from '@longarm/contract/ids';
import { PROFILES } from '@longarm/contract/limits';
import { retireResults } from '@longarm/server/actions/retire-results';
import { diskBlobStore } from '@longarm/server/blobs/disk';
import { openStore } from '@longarm/server/store/open-store';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { snapshot, storeRows } from './store-rows.ts';

const DAY_MS = 86_400_000;
const servers: TestServer[] = [];
const newServer = async (): Promise<TestServer> => {
  const server = await startTestServer();
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hasBlob = async (server: TestServer, text: string): Promise<boolean> => {
  const hash = sha256(text);
  const path = join(server.dataFolder, 'blobs', 'sha256', hash.slice(0, 2), hash);
  return stat(path).then(
    () => true,
    () => false,
  );
};
const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
const putFile = (name: string) => ({ type: 'PutFile', params: [{ key: 'FileName', value: name }] });

/** Runs the chore on the server's folder, as it would run that many days from now. */
const retire = async (server: TestServer, days: number) => {
  const now = () => Date.now() + days * DAY_MS;
  const envelopes = {
    sign: () => '',
    terms: { maxGetBytes: 1, maxOutputBytes: 1, stopOnNonzeroExit: false },
    epoch: 0,
  };
  const store = await openStore({ file: join(server.dataFolder, 'store.db'), clock: { now }, envelopes });
  try {
    const blobs = await diskBlobStore({ folder: join(server.dataFolder, 'blobs'), now });
    const { limits } = PROFILES['2021-06'];
    return await retireResults({ results: store.results, blobs, clock: { now }, limits })();
  } finally {
    await store.close();
  }
};

/** An action with a result of this content, ended or not. */
const collected = async (server: TestServer, content: string, ended: boolean) => {
  const device = await server.device(content);
  const Commands = ended ? [GET_FILE] : [GET_FILE, GET_FILE];
  const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands });
  const offer = await device.takeOffer();
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  const results = [await device.upload(offer, { index: 0, stream: 'file' }, content)];
  const done = { outcome: 'Completed' as const, errors: [], exitCode: null, results };
  await device.report({ kind: 'command-finished', actionId, index: 0, ...done });
  return String(json.id);
};

test('a result goes after its days, with its bytes; its action and the audit stay, and say so (semantics 19)', async () => {
  const server = await newServer();
  const id = await collected(server, 'evidence', true);
  const before = snapshot(server.dataFolder);
  expect(await retire(server, 29.9)).toEqual({ results: 0, blobs: 0 });
  expect(snapshot(server.dataFolder)).toBe(before);
  const audit = storeRows(server.dataFolder, 'select * from audit');
  expect(await retire(server, 30.1)).toEqual({ results: 1, blobs: 1 });
  expect(await hasBlob(server, 'evidence')).toBe(false);
  expect(storeRows(server.dataFolder, 'select * from audit')).toEqual([...audit]);
  const { json } = await server.api.call(`/api/machineactions/${id}`);
  expect(json).toMatchObject({ status: 'Succeeded', commands: [{ commandStatus: 'Completed', results: [] }] });
  const link = await server.api.call(`/api/machineactions/${id}/GetLiveResponseResultDownloadLink(index=0)`);
  expect([link.status, link.json.error.code]).toEqual([404, 'ResourceNotFound']);
  expect(link.json.error.message).toContain('no longer kept');
  expect(await retire(server, 31)).toEqual({ results: 0, blobs: 0 });
});

test('what an action that has not ended has, or will need, stays', async () => {
  const server = await newServer();
  const running = await collected(server, 'half of it', false);
  await server.api.upload('pinned.zip', 'pinned');
  const away = await server.absentDevice('away');
  const Commands = [putFile('pinned.zip')];
  const { json } = await server.api.post(`/api/machines/${away.machineId}/runliveresponse`, { Commands });
  await server.api.call('/api/libraryfiles/pinned.zip', { method: 'DELETE' });
  expect(await retire(server, 365)).toEqual({ results: 0, blobs: 0 });
  expect(await (await server.api.download(running, 0, '&raw=1')).text()).toBe('half of it');
  await server.api.post(`/api/machineactions/${json.id}/cancel`, {});
  expect(await retire(server, 365)).toEqual({ results: 0, blobs: 1 });
  expect([await hasBlob(server, 'pinned'), await hasBlob(server, 'half of it')]).toEqual([false, true]);
});

test('bytes that a library file or another result shares stay; orphans go, but not young ones', async () => {
  const server = await newServer();
  await collected(server, 'shared', true);
  await server.api.upload('shared.bin', 'shared');
  await server.api.upload('orphan.bin', 'orphan');
  await server.api.call('/api/libraryfiles/orphan.bin', { method: 'DELETE' });
  expect(await retire(server, 0)).toEqual({ results: 0, blobs: 0 });
  expect(await retire(server, 0.05)).toEqual({ results: 0, blobs: 1 });
  expect(await retire(server, 31)).toEqual({ results: 1, blobs: 0 });
  expect((await server.api.call('/api/libraryfiles/shared.bin/content')).text).toBe('shared');
});

test('small results go with the last row that speaks of them', async () => {
  const server = await newServer();
  await server.api.upload('s.sh', 'echo hi');
  const Commands = [{ type: 'RunScript', params: [{ key: 'ScriptName', value: 's.sh' }] }];
  const same = Sha256.parse(sha256('same'));
  const content = Buffer.from('same').toString('base64');
  for (const name of ['one', 'two']) {
    const device = await server.device(name);
    await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands });
    const { actionId } = await device.takeOffer();
    const streams = ['stdout', 'stderr'] as const;
    await device.report(
      {
        kind: 'command-finished',
        actionId,
        index: 0,
        outcome: 'Completed',
        errors: [],
        exitCode: 0,
        results: streams.map((stream) => ({ stream, sha256: same, sizeBytes: 4, name: stream, cutBytes: 0 })),
      },
      streams.map((stream) => ({ stream, content })),
    );
  }
  const kept = () => storeRows(server.dataFolder, 'select sha256 from small_blobs').length;
  expect(kept()).toBe(1);
  // the first action's are old, the second's are not
  const database = new Database(join(server.dataFolder, 'store.db'));
  database.run(
    'update results set created_at = created_at - 86400000 where rowid in (select rowid from results order by rowid limit 2)',
  );
  database.close();
  expect(await retire(server, 29.5)).toEqual({ results: 2, blobs: 0 });
  expect(kept()).toBe(1);
  expect((await retire(server, 30.5)).results).toBe(2);
  expect(kept()).toBe(0);
});
