/** The gateway's side of sockets: real ones, and a trunk that keeps what is said. */
import { afterEach, expect, test } from 'bun:test';
import type { Server } from 'bun';
import { SOCKET_TERMS } from '../gateway/upgrade.ts';
import { type CarriedData, carrySockets, WAITING_BYTES } from './carry-sockets.ts';
import type { TrunkFrame } from './frame.ts';

const servers: Server<CarriedData>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

const HEARTBEAT = '{"type":"heartbeat"}';

const world = (places = 100) => {
  const said: TrunkFrame[] = [];
  let waiting = 0;
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const send = (frame: TrunkFrame) => {
    said.push(frame);
    wake();
  };
  const carried = carrySockets({
    trunk: { send, waitingBytes: () => waiting, cut: () => {} },
    terms: SOCKET_TERMS,
    hasPlace: () => carried.count() < places,
    now: () => 1_234,
    random: () => 0.5,
  });
  const server = Bun.serve<CarriedData>({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, bun) =>
      bun.upgrade(request, { data: carried.socketData('192.0.2.1') }) ? undefined : new Response(),
    websocket: carried.websocket,
  });
  servers.push(server);
  const until = async (holds: () => boolean) => {
    while (!holds()) await changed.promise;
  };
  /** A client, with what it heard. */
  const client = async () => {
    const heard: string[] = [];
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}`);
    let isClosed = false;
    socket.onmessage = ({ data }) => {
      heard.push(String(data));
      wake();
    };
    socket.onclose = () => {
      isClosed = true;
      wake();
    };
    socket.onopen = wake;
    await until(() => socket.readyState !== WebSocket.CONNECTING);
    return { socket, heard, isClosed: () => isClosed };
  };
  const setWaiting = (bytes: number) => {
    waiting = bytes;
  };
  return { carried, said, until, client, setWaiting, port: server.port ?? 0 };
};

test('what a device says goes on, in order, and what it is told comes back', async () => {
  const { carried, said, until, client } = world();
  const { socket, heard, isClosed } = await client();
  socket.send('one');
  socket.send(new Uint8Array([2]));
  await until(() => said.length === 3);
  expect(said).toMatchObject([
    { kind: 'open', socket: 1, text: '192.0.2.1' },
    { kind: 'text', socket: 1, text: 'one' },
    { kind: 'binary', socket: 1 },
  ]);
  carried.take({ kind: 'text', socket: 1, text: 'two' });
  carried.take({ kind: 'text', socket: 9, text: 'nobody’s' });
  carried.take({ kind: 'close', socket: 1 });
  await until(isClosed);
  expect(heard).toEqual(['two']);
  await until(() => carried.count() === 0);
  expect(said.at(-1)).toEqual({ kind: 'close', socket: 1 });
});

test('heartbeats of a device that is connected are answered here, one of a time; all others go on', async () => {
  const { carried, said, until, client } = world();
  const { socket, heard } = await client();
  socket.send(HEARTBEAT);
  await until(() => said.length === 2);
  expect([said[1], heard]).toMatchObject([{ kind: 'text', text: HEARTBEAT }, []]);
  carried.take({ kind: 'proven', socket: 1 });
  socket.send(HEARTBEAT);
  socket.send(HEARTBEAT);
  socket.send('{ "type": "heartbeat" }');
  await until(() => said.length === 4 && heard.length === 1);
  expect(heard).toEqual(['{"type":"heartbeat","serverTime":1234}']);
  carried.tellHeard();
  carried.tellHeard();
  socket.send(HEARTBEAT);
  await until(() => heard.length === 2);
  expect(said.slice(2)).toMatchObject([
    { kind: 'text', text: HEARTBEAT },
    { kind: 'text', text: '{ "type": "heartbeat" }' },
    { kind: 'heard', sockets: [1] },
  ]);
});

test('while the main process takes nothing, who speaks and who comes is sent away; nothing is kept for it', async () => {
  const { said, until, client, setWaiting } = world();
  const [first, quiet] = [await client(), await client()];
  await until(() => said.length === 2);
  setWaiting(WAITING_BYTES + 1);
  first.socket.send('a report');
  const third = await client();
  await until(() => first.isClosed() && third.isClosed());
  for (const { heard } of [first, third])
    expect(JSON.parse(heard[0] ?? '')).toMatchObject({ type: 'goodbye', retryAfterSeconds: 5 });
  expect(said.map(({ kind }) => kind)).toEqual(['open', 'open', 'close']);
  setWaiting(WAITING_BYTES);
  quiet.socket.send('a report');
  await until(() => said.at(-1)?.kind === 'text');
});

test('one connection more than it can hold is told to try another gateway', async () => {
  const { said, until, client } = world(1);
  const [first, second] = [await client(), await client()];
  await until(second.isClosed);
  expect(second.heard[0]).toContain('as many connections as it can');
  expect(first.isClosed()).toBe(false);
  first.socket.close();
  await until(() => said.at(-1)?.kind === 'close');
  expect((await client()).isClosed()).toBe(false);
});

test('a device that does not read is cut off when its share is full, and others are not held up', async () => {
  const { carried, said, until, client, port } = world();
  const head = 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  const upgrade = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
  await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: { open: (socket) => void socket.write(head + upgrade), data: (socket) => socket.pause() },
  });
  await until(() => said.length === 1);
  const other = await client();
  const text = 'x'.repeat(1_048_576);
  let sent = 0;
  for (; sent < 100 && said.at(-1)?.kind !== 'close'; sent++) {
    carried.take({ kind: 'text', socket: 1, text });
    carried.take({ kind: 'text', socket: 2, text: String(sent) });
    await until(() => other.heard.length === sent + 1);
  }
  expect(said.at(-1)).toEqual({ kind: 'close', socket: 1 });
  // what the kernel took, and the limit
  expect(sent).toBeLessThan(50);
  expect(other.isClosed()).toBe(false);
});
