/** What a device that is owned can and cannot do to the server that it is enrolled at. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { exists, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ENDPOINTS } from '@longarm/contract/rest/index';
import { TERMINAL_POISON } from '@longarm/testkit/poison';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.api.upload('a.sh', 'x');
});
afterAll(() => server.stop());

const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
const RUN_SCRIPT = { type: 'RunScript', params: [{ key: 'ScriptName', value: 'a.sh' }] };

const begin = async (name: string, command: object) => {
  const device = await server.device(name);
  const path = `/api/machines/${device.machineId}/runliveresponse`;
  const { json } = await server.api.post(path, { Commands: [command] });
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  await device.report({ kind: 'command-started', actionId: offer.actionId, index: 0 });
  return { device, offer, id: String(json.id) };
};

const names = async (folder: string): Promise<readonly string[]> => {
  const found = await readdir(folder, { recursive: true });
  return found.map(String).toSorted();
};

const HOSTILE_NAMES = [
  '../../../../tmp/owned',
  '/etc/cron.d/owned',
  'C:\\Windows\\owned.exe',
  'owned.',
  '..',
  'a\0b',
  TERMINAL_POISON,
];

test('no name that a device tells becomes a path: not of its files, not of itself', async () => {
  for (const name of HOSTILE_NAMES) {
    const { device, offer, id } = await begin(`host-${name}`.slice(0, 200), GET_FILE);
    const result = await device.upload(offer, { index: 0, stream: 'file' }, 'content');
    await device.report({
      kind: 'command-finished',
      actionId: offer.actionId,
      index: 0,
      outcome: 'Completed',
      errors: [name],
      exitCode: null,
      results: [{ ...result, name }],
    });
    const answer = await server.api.download(id, 0);
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename=[A-Za-z0-9._~%-]+$/);
    await device.disconnect();
  }
  const all = await names(server.dataFolder);
  expect(all.filter((name) => /owned|\.\.|\0/.test(name))).toEqual([]);
  const blobs = await names(join(server.dataFolder, 'blobs'));
  for (const blob of blobs)
    expect(blob).toMatch(/^(?:incoming|(?:blobs|sha256)(?:\/[0-9a-f]{2}(?:\/[0-9a-f]{64})?)?)$/);
  for (const path of ['/tmp/owned', '/etc/cron.d/owned', join(dirname(server.dataFolder), 'owned')])
    expect([path, await exists(path)]).toEqual([path, false]);
});

test('a device cannot say that it has done what it has not: the server counts and hashes what it got', async () => {
  const { device, offer, id } = await begin('liar', RUN_SCRIPT);
  const stdout = await device.upload(offer, { index: 0, stream: 'stdout' }, 'what was sent');
  const stderr = await device.upload(offer, { index: 0, stream: 'stderr' }, '');
  const finished = {
    kind: 'command-finished',
    actionId: offer.actionId,
    index: 0,
    outcome: 'Completed',
    errors: [] as string[],
    exitCode: 0,
  } as const;
  const claims = [[], [{ ...stdout, sha256: stderr.sha256 }, stderr], [{ ...stdout, sizeBytes: 1 }, stderr]];
  for (const results of claims) {
    device.tell({ ...finished, errors: [], results });
    const { streams } = await device.take('missing-uploads');
    expect(streams.length).toBeGreaterThan(0);
    const { json } = await server.api.call(`/api/machineactions/${id}`);
    expect(json.commands[0].commandStatus).toBe('Executing');
    await device.disconnect();
    await device.connect([offer.actionId]);
  }
  await device.disconnect();
});

test('a device gives itself no tag, no group and no name in the audit', async () => {
  const device = await server.device('host1.lab.example');
  device.send({ type: 'report', sequence: 1, tags: ['trusted'], fact: {} });
  expect((await device.take('goodbye')).reason).toContain('frame:');
  const { json } = await server.api.call(`/api/machines/${device.machineId}`);
  expect([json.machineTags, json.rbacGroupName]).toEqual([[], null]);
});

test('nothing is answered to who shows no token, but for what has to be open', async () => {
  for (const { method, path } of Object.values(ENDPOINTS)) {
    const { pathname } = new URL(path.replaceAll(/\{[^}]+\}/g, '1'), server.url);
    const answer = await fetch(server.url + pathname, { method, ...(method === 'POST' ? { body: '{}' } : {}) });
    expect([method, pathname, answer.status]).toEqual([method, pathname, 401]);
  }
  for (const path of ['/metrics', '/debug', '/admin', '/setup', '/install', '/.env', '/store.db']) {
    expect([path, (await fetch(server.url + path)).status]).toEqual([path, 404]);
  }
});
