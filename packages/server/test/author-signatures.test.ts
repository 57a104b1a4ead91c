/** Author signatures on their way: checked against the file, pinned with it, carried to the device as they are. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { type Author, newAuthor } from '@longarm/testkit/author';
import type { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

// each upload and commit is synced, on machines that may be busy with other tests
setDefaultTimeout(60_000);

let server: TestServer;
let device: ScriptedDevice;
let author: Author;
beforeEach(async () => {
  server = await startTestServer();
  device = await server.device();
  author = await newAuthor();
});
afterEach(() => server.stop());

const upload = (content: string, signatures: readonly string[], fields = {}) =>
  server.api.upload('a.sh', content, {
    OverrideIfExists: 'true',
    ...(signatures.length === 0 ? {} : { Signature: signatures.join('\n') }),
    ...fields,
  });

/** What the device is offered for the file, of an action requested now. */
const offered = async () => {
  const Commands = [{ type: 'RunScript', params: [{ key: 'ScriptName', value: 'a.sh' }] }];
  const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, {
    Commands,
    Comment: 'c',
  });
  return { id: json.id as string, take: async () => (await device.takeOffer(30_000)).payload.commands[0] };
};

const finish = async (actionId: string) => {
  const cancel = await server.api.post(`/api/machineactions/${actionId}/cancel`, { Comment: 'c' });
  expect(cancel.status).toBe(200);
};

test('a signature reaches the device, letter for letter, and unsigned files carry nothing new', async () => {
  const signature = author.sign('a.sh', 'echo 1');
  expect((await upload('echo 1', [])).status).toBe(200);
  const plain = await offered();
  expect(await plain.take()).not.toHaveProperty('signatures');
  await finish(plain.id);
  device = await server.device('host2.lab.example');
  const answer = await upload('echo 1', [signature]);
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.json)).not.toContain('signatures');
  expect((await (await offered()).take())?.signatures).toEqual([signature]);
});

test('signatures are pinned with the file, whatever is uploaded or deleted afterwards', async () => {
  await server.api.upload('a.sh', 'echo 1', { Signature: author.sign('a.sh', 'echo 1') });
  const signature = author.sign('a.sh', 'echo 1', { expiresAt: 4_000_000_000_000 });
  await upload('echo 1', [signature]);
  await device.disconnect();
  const action = await offered();
  await upload('echo 2', []);
  await server.api.call('/api/libraryfiles/a.sh', { method: 'DELETE' });
  await device.connect();
  expect((await action.take())?.signatures).toEqual([author.sign('a.sh', 'echo 1'), signature]);
});

test('the same bytes keep their signatures, four at most; other bytes and a new name start without', async () => {
  const made = [1, 2, 3, 4, 5].map((days) => author.sign('a.sh', 'echo 1', { expiresAt: 4_000_000_000_000 + days }));
  for (const signature of made) await upload('echo 1', [signature]);
  const first = await offered();
  expect((await first.take())?.signatures).toEqual(made.slice(1));
  await finish(first.id);
  device = await server.device('host2.lab.example');
  await upload('echo 2', []);
  await upload('echo 1', []);
  expect(await (await offered()).take()).not.toHaveProperty('signatures');
});

test('what is not a signature of this very file is refused, and nothing is stored', async () => {
  const cases: [string[], string][] = [
    [[author.sign('a.sh', 'echo 2')], 'Sign the file as it is now'],
    [[author.sign('b.sh', 'echo 1')], 'expected a signature of "a.sh", got one of "b.sh"'],
    [['x.y.z'], 'expected author signatures'],
    [[1, 2, 3, 4, 5].map((days) => author.sign('a.sh', 'echo 1', { expiresAt: days })), 'at most 4'],
  ];
  for (const [signatures, sentence] of cases) {
    const answer = await upload('echo 1', signatures);
    expect([answer.status, answer.json.error.code]).toEqual([400, 'InvalidInput']);
    expect(answer.json.error.message).toContain(sentence);
  }
  expect((await server.api.call('/api/libraryfiles')).json.value).toEqual([]);
});
