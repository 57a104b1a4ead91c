import { afterEach, expect, test } from 'bun:test';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createManualWorld } from '@longarm/testkit/manual-world';
import { type RestFixture, startRestFixture } from '@longarm/testkit/rest-fixture';
import { createClient } from './create-client.ts';

const CONTENT = new TextEncoder().encode('0123456789abcdefghij');
const fixtures: RestFixture[] = [];
const stores: Server[] = [];
afterEach(async () => {
  for (const fixture of fixtures.splice(0)) await fixture.stop();
  for (const store of stores.splice(0)) {
    store.closeAllConnections();
    store.close();
  }
});

type Asked = { readonly range: string | undefined; readonly bearer: string | undefined; readonly search: string };
type Answer = (asked: Asked, response: ServerResponse) => void;

/** What the client has taken so far: a cut before that would lose bytes that are on the way. */
let taken = 0;
let tookMore = Promise.withResolvers<void>();
const takenUpTo = async (count: number): Promise<void> => {
  while (taken < count) await tookMore.promise;
};
const take = (count: number): void => {
  taken = count;
  tookMore.resolve();
  tookMore = Promise.withResolvers();
};

/** Says that everything will come, and cuts the connection once the client has taken `count` bytes of it. */
const cutAfter =
  (count: number): Answer =>
  (asked, response) => {
    const offset = Number(/bytes=(\d+)-/.exec(asked.range ?? '')?.[1] ?? 0);
    const head = { 'content-length': CONTENT.length - offset, 'content-range': `bytes ${offset}-19/20` };
    response.writeHead(offset > 0 ? 206 : 200, head);
    response.flushHeaders();
    if (count > 0) response.write(CONTENT.slice(offset, offset + count));
    void takenUpTo(offset + count).then(() => response.destroy());
  };
const rest: Answer = (asked, response) => {
  const offset = Number(/bytes=(\d+)-/.exec(asked.range ?? '')?.[1] ?? 0);
  response.writeHead(offset > 0 ? 206 : 200, { 'content-range': `bytes ${offset}-19/20` });
  response.end(CONTENT.slice(offset));
};
const fromTheStart: Answer = (_, response) => response.end(CONTENT);
const expired: Answer = (_, response) => {
  response.writeHead(403, { 'content-type': 'application/json' });
  response.end('{"error":{"code":"Forbidden","message":"The link has expired.","target":"t"}}');
};

const open = async (answers: readonly Answer[]) => {
  take(0);
  const asked: Asked[] = [];
  const store = createServer((request, response) => {
    const { range, authorization } = request.headers;
    const one = { range, bearer: authorization, search: new URL(request.url ?? '', 'http://x').search };
    asked.push(one);
    (answers[asked.length - 1] ?? fromTheStart)(one, response);
  });
  stores.push(store);
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
  const address = store.address();
  const port = typeof address === 'object' ? address?.port : 0;
  let links = 0;
  const fixture = startRestFixture({
    'GET /api/machineactions/a1/GetLiveResponseResultDownloadLink(index=1)': () =>
      Response.json({ '@odata.context': 'c', value: `http://127.0.0.1:${port}/r?sig=${++links}` }),
  });
  fixtures.push(fixture);
  const world = createManualWorld();
  const credentials = { tenant: 'default', clientId: 'app', clientSecret: 'correct horse' };
  const client = createClient({ server: fixture.url, credentials, transport: fetch, world });
  return { client, world, asked, links: () => links };
};

const collect = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = '';
  for await (const chunk of bytes) {
    text += new TextDecoder().decode(chunk);
    take(text.length);
  }
  return text;
};

test('a stream is asked for raw, and the token does not go with the link', async () => {
  const { client, asked } = await open([rest]);
  const bytes = await client.openResult({ actionId: 'a1', index: 1 }, { form: 'file' });
  expect(await collect(bytes)).toBe('0123456789abcdefghij');
  expect(asked).toEqual([{ range: undefined, bearer: undefined, search: '?sig=1&raw=1&stream=file' }]);
});

test('a cut download goes on where it was cut', async () => {
  const { client, world, asked } = await open([cutAfter(7), cutAfter(5), rest]);
  const text = collect(await client.openResult({ actionId: 'a1', index: 1 }, { form: 'file' }));
  for (const cut of [1, 2]) {
    await world.timerOf(200, cut);
    world.advance(200);
  }
  expect(await text).toBe('0123456789abcdefghij');
  expect(asked.map((one) => one.range)).toEqual([undefined, 'bytes=7-', 'bytes=12-']);
});

test('a server that cannot resume sends everything again, and nothing comes twice', async () => {
  const { client, world } = await open([cutAfter(7), fromTheStart]);
  const text = collect(await client.openResult({ actionId: 'a1', index: 1 }));
  await world.timerOf(200);
  world.advance(200);
  expect(await text).toBe('0123456789abcdefghij');
});

test('a link that ran out during the download is replaced', async () => {
  const { client, world, asked, links } = await open([cutAfter(7), expired, rest]);
  const text = collect(await client.openResult({ actionId: 'a1', index: 1 }));
  await world.timerOf(200);
  world.advance(200);
  expect(await text).toBe('0123456789abcdefghij');
  expect(links()).toBe(2);
  expect(asked.at(-1)).toMatchObject({ range: 'bytes=7-', search: '?sig=2' });
});

test('a link that is refused again is a failure', async () => {
  const { client } = await open([expired, expired]);
  const bytes = await client.openResult({ actionId: 'a1', index: 1 });
  await expect(collect(bytes)).rejects.toMatchObject({ name: 'ApiFailure', code: 'Forbidden' });
});

test('a download that is cut again and again without a byte is given up', async () => {
  const { client, world } = await open([cutAfter(7), ...Array.from({ length: 20 }, () => cutAfter(0))]);
  const text = collect(await client.openResult({ actionId: 'a1', index: 1 }));
  text.catch(() => undefined);
  for (const pauseMs of [200, 400, 800, 1_600, 3_200]) {
    await world.timerOf(pauseMs);
    world.advance(pauseMs);
  }
  for (const longest of [1, 2, 3]) {
    await world.timerOf(5_000, longest);
    world.advance(5_000);
  }
  await expect(text).rejects.toMatchObject({ name: 'Unreachable', reason: 'cut' });
});
