/** Devices and strangers that want too much: each limit, what is said at it, and what the audit tells of it. */
import { afterEach, expect, test } from 'bun:test';
import { TRANSFER_HEADERS, UPLOAD_CONTENT_TYPE, uploadPath } from '@longarm/contract/wire/protocol';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { until } from '@longarm/testkit/until';
import { enrolKey, openSocket } from './raw-device.ts';
import { storeRows } from './store-rows.ts';

const servers: TestServer[] = [];
const newServer = async (...limits: string[]): Promise<TestServer> => {
  const server = await startTestServer(limits.flatMap((limit) => ['--limit', limit]));
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** What the audit tells of it, once it is written: by the minute, or when the server stops. */
const refusals = async (server: TestServer): Promise<readonly unknown[]> => {
  await server.restart();
  const rows = storeRows(
    server.dataFolder,
    "select actor, detail from audit where event = 'device.refused' order by seq",
  );
  return rows.map(({ actor, detail }) => {
    const { code, count } = JSON.parse(String(detail));
    return { actor, code, count };
  });
};

test('frames past the limit: goodbye with a time to stay away, which connecting anew does not shorten', async () => {
  const server = await newServer('frames-per-second=10');
  const key = await enrolKey(server.url, server.enrolToken);
  const socket = await openSocket(server.url);
  socket.send(key.prove(socket.nonce));
  await socket.frame('welcome');
  for (let frame = 0; frame < 40; frame++) socket.send({ type: 'heartbeat' });
  await socket.until(() => (socket.frames.filter(({ type }) => type === 'heartbeat').length === 40 ? true : null));
  for (let frame = 0; frame < 1_000; frame++) socket.send({ type: 'heartbeat' });
  const goodbye = await socket.frame('goodbye');
  expect(goodbye.reason).toContain('at most 10 frames a second of one device');
  expect(goodbye.retryAfterSeconds).toBe(10);
  await socket.closed();
  expect(socket.frames.filter(({ type }) => type === 'goodbye')).toHaveLength(1);
  const again = await openSocket(server.url);
  again.send(key.prove(again.nonce));
  expect((await again.frame('goodbye')).reason).toContain('at most 10 frames a second');
  expect(again.frames.map(({ type }) => type)).not.toContain('welcome');
  await again.closed();
  // other devices are not held up by it
  const other = await server.device('other');
  await other.disconnect();
  const actor = `device ${key.machineId}`;
  expect(await refusals(server)).toEqual([{ actor, code: 'frames-per-second', count: 2 }]);
});

test('bytes past the limit', async () => {
  const server = await newServer('control-kib-per-second=4');
  const key = await enrolKey(server.url, server.enrolToken);
  const socket = await openSocket(server.url);
  socket.send(key.prove(socket.nonce));
  await socket.frame('welcome');
  const padded = `{"type":"heartbeat"}${' '.repeat(10_000)}`;
  for (let frame = 0; frame < 5; frame++) socket.send(padded);
  expect((await socket.frame('goodbye')).reason).toContain('at most 4 KiB a second');
});

test('who does not prove itself in time is sent away, and so is one socket too many of an address', async () => {
  const server = await newServer('handshake-seconds=1', 'unproven-per-address=2');
  const [one, two] = [await openSocket(server.url), await openSocket(server.url)];
  const three = new WebSocket(`${server.url.replace('http', 'ws')}/agent/v1/connect`);
  const said = Promise.withResolvers<string>();
  three.onmessage = ({ data }) => said.resolve(String(data));
  expect(JSON.parse(await said.promise)).toMatchObject({
    type: 'goodbye',
    reason: expect.stringContaining('at most 2 connections from one address in 1 s'),
    retryAfterSeconds: 10,
  });
  for (const socket of [one, two]) {
    expect((await socket.frame('goodbye')).reason).toContain('expected a proof in the time for a handshake');
    await socket.closed();
  }
  // and a device gets in
  const device = await server.device();
  await device.disconnect();
  const stranger = { actor: 'stranger' };
  expect(await refusals(server)).toEqual([
    { ...stranger, code: 'unproven-per-address', count: 1 },
    { ...stranger, code: 'handshake-seconds', count: 2 },
  ]);
});

test('sockets without a proof are bounded in all', async () => {
  const server = await newServer('unproven-sockets=1');
  const key = await enrolKey(server.url, server.enrolToken);
  const one = await openSocket(server.url);
  const frames: string[] = [];
  const two = new WebSocket(`${server.url.replace('http', 'ws')}/agent/v1/connect`);
  two.onmessage = ({ data }) => frames.push(JSON.parse(String(data)).reason);
  await until(
    () => Promise.resolve(frames.length),
    (count) => count > 0,
  );
  expect(frames[0]).toContain('at most 1 connections that have not proven themselves');
  one.send(key.prove(one.nonce));
  await one.frame('welcome');
  const device = await server.device();
  await device.disconnect();
  one.close();
});

test('one upload too many at the same time is for later; the others go on', async () => {
  const server = await newServer('uploads-at-once=1');
  await server.api.upload('s.sh', 'x');
  const device = await server.device();
  const Commands = [{ type: 'RunScript', params: [{ key: 'ScriptName', value: 's.sh' }] }];
  await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands });
  const { actionId, ticket } = await device.takeOffer();
  await device.report({ kind: 'accepted', actionId });
  const at = (stream: string) => uploadPath({ actionId, index: 0, stream });
  const open = (stream: string) =>
    device.transfer(at(stream), ticket, { method: 'POST', headers: { [TRANSFER_HEADERS.uploadLength]: '2' } });
  for (const stream of ['stdout', 'stderr']) expect((await open(stream)).status).toBe(201);
  const gate = Promise.withResolvers<void>();
  const slow = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
    pull: async (controller) => {
      await gate.promise;
      controller.enqueue(new Uint8Array(1));
      controller.close();
    },
  });
  const send = (stream: string, offset: number, body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>) =>
    device.transfer(at(stream), ticket, {
      method: 'PATCH',
      headers: { 'content-type': UPLOAD_CONTENT_TYPE, [TRANSFER_HEADERS.uploadOffset]: String(offset) },
      body,
    });
  const first = send('stdout', 0, slow);
  const offset = async () => {
    const answer = await device.transfer(at('stdout'), ticket, { method: 'HEAD' });
    return answer.headers.get(TRANSFER_HEADERS.uploadOffset);
  };
  await until(offset, (told) => told === '1');
  const refused = await send('stderr', 0, new Uint8Array(2));
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
  expect(await refused.text()).toContain('at most 1 uploads of one device at the same time');
  gate.resolve();
  expect((await first).status).toBe(204);
  expect((await send('stderr', 0, new Uint8Array(2))).status).toBe(204);
});

test('who is told goodbye and stays is cut off', async () => {
  const server = await newServer('heartbeat-seconds=1');
  const { hostname, port } = new URL(server.url);
  const gone = Promise.withResolvers<void>();
  let heard = '';
  const head = 'GET /agent/v1/connect HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  await Bun.connect({
    hostname,
    port: Number(port),
    allowHalfOpen: true,
    socket: {
      open: (socket) => void socket.write(head + key),
      data: (socket, chunk) => {
        const wasGreeted = heard.includes('hello');
        heard += chunk.toString('latin1');
        // a text frame of two characters that are no JSON, under a mask of zeros; its closing is never answered
        if (!wasGreeted && heard.includes('hello')) socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x78, 0x78]));
      },
      close: () => gone.resolve(),
      error: () => gone.resolve(),
    },
  });
  await gone.promise;
  expect(heard).toContain('goodbye');
});
