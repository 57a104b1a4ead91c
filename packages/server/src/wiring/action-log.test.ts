import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { until } from '@longarm/testkit/until';
import type { Log } from '../telemetry/log.ts';

const lines: Record<string, unknown>[] = [];
const keep = (level: string) => (about: object, message: string) => void lines.push({ level, message, ...about });
// the levels that the server writes, kept instead of printed: with objects first, as all its lines have them
const log = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') } as unknown as Log;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer([], { log });
});

afterAll(() => server.stop());

const request = (machineId: string) =>
  server.api.post(`/api/machines/${machineId}/runliveresponse`, {
    Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: '/home/secret-person/diary' }] }],
    Comment: 'a secret comment',
  });

test('an action can be followed by its id, through each line about it', async () => {
  const device = await server.device('host.lab.example');
  const { machineId } = device;
  const { id: actionId } = (await request(machineId)).json;
  const offer = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId: offer.actionId });
  await device.report({ kind: 'command-started', actionId: offer.actionId, index: 0 });
  await server.api.post(`/api/machineactions/${actionId}/cancel`, { Comment: 'a secret comment' });
  const about = lines.filter((line) => line.actionId === actionId);
  expect(about.map(({ level, message, fact, index }) => [level, message, fact, index])).toEqual([
    ['info', 'action requested', undefined, undefined],
    ['debug', 'action claimed', undefined, undefined],
    ['debug', 'device reported', 'accepted', undefined],
    ['debug', 'device reported', 'command-started', 0],
    ['info', 'action cancelled', undefined, undefined],
  ]);
  for (const line of about) expect(line.machineId).toBe(machineId);
  for (const line of about.filter(({ level }) => level === 'info')) expect(line.requestId).toBeString();
});

test('what a device lost is told of when it comes back', async () => {
  const device = await server.device('forgetful.lab.example');
  await request(device.machineId);
  const { actionId } = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId });
  await device.disconnect();
  await device.connect([]);
  await until(
    async () => lines,
    (all) => all.some((line) => line.message === 'action lost by its device' && line.actionId === actionId),
  );
});

test('no line has a token, a comment, an argument or the name of a person', () => {
  const text = JSON.stringify(lines);
  expect(text).toContain('action requested');
  for (const secret of [server.api.token, server.enrolToken, 'secret', 'analyst']) expect(text).not.toContain(secret);
});
