import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import { realAfter } from '../../test/command-world.ts';
import { type LoopbackServer, NONCE, startLoopbackServer } from '../../test/loopback-server.ts';
import { MACHINE, newActionId } from '../../test/sealed-envelope.ts';
import { until } from '../../test/until.ts';
import { thisPlatform } from '../platform/this-platform.ts';
import { pause } from '../platform/timers.ts';
import { diagnose } from './diagnose.ts';
import { type Link, type LinkIo, link } from './keep-connected.ts';
import { webSocketDial } from './socket.ts';

type Line = { readonly message: string; readonly reason: string; readonly retryInMs: number };

let server: LoopbackServer;
let lines: Line[];
let welcomes: number;
let times: number[];
let heard: FrameToAgent[];
let connections: string[];
let running: Promise<void> | null;
let current: Link | null;

beforeEach(() => {
  server = startLoopbackServer();
  lines = [];
  welcomes = 0;
  times = [];
  heard = [];
  connections = [];
  running = null;
  current = null;
});
afterEach(async () => {
  current?.stop();
  await running;
  await server[Symbol.asyncDispose]();
});

const hear = (frame: FrameToAgent) => void heard.push(frame);

const start = (changes: Partial<LinkIo> & { readonly url?: string } = {}) => {
  const { url = server.url, ...others } = changes;
  current = link({
    dial: webSocketDial(`${url.replace('http', 'ws')}/agent/v1/connect`, () => ({})),
    inbox: { offer: hear, resume: hear, cancel: hear },
    outbox: {
      connected: () => connections.push('connected'),
      disconnected: () => connections.push('disconnected'),
      acknowledge: () => {},
      missingUploads: hear,
    },
    live: { connected: () => {}, disconnected: () => {}, hear },
    prove: (nonce) => ({
      type: 'prove',
      protocol: 1,
      machineId: MACHINE,
      proof: nonce,
      facts: thisPlatform(process.platform).facts(),
      journaled: [],
    }),
    learnTime: (time) => times.push(time),
    onWelcome: () => welcomes++,
    monotonic: () => performance.now(),
    after: realAfter,
    random: () => 0,
    keepGeneration: () => true,
    keepTrust: () => null,
    keys: { isWanted: () => false, claim: () => null, take: () => {} },
    pause: (delayMs, signal) => pause(realAfter, Math.min(delayMs, 5), signal),
    diagnose: () => diagnose((path) => fetch(url + path), url),
    log: (_, message, fields) =>
      lines.push({ message, reason: String(fields.reason), retryInMs: Number(fields.retryInMs) }),
    ...others,
  });
  running = current.run();
  return current;
};

const welcomed = (times: number) => until(`welcome ${times}`, () => welcomes >= times);
const logged = (text: string) => until(`a line about ${text}`, () => lines.find(({ reason }) => reason.includes(text)));

test('it answers the nonce, is welcomed, and learns the time', async () => {
  server.settings.serverTime = () => 4_711;
  start();
  await welcomed(1);
  expect(server.frames[0]).toMatchObject({ type: 'prove', proof: NONCE });
  expect(times).toEqual([4_711, 4_711]);
  expect(connections).toEqual(['connected']);
});

test('frames reach those whom they are for', async () => {
  start();
  await welcomed(1);
  const actionId = newActionId();
  const offer = { type: 'offer', actionId, envelope: 'e', ticket: 't' } as const;
  const cancel = { type: 'cancel', actionId, reason: 'r', ticket: 't' } as const;
  const resume = { type: 'resume', actionId, ticket: 't' } as const;
  for (const frame of [offer, cancel, resume]) server.send(frame);
  await until('three frames', () => heard.length === 3);
  expect(heard).toEqual([offer, cancel, resume]);
});

test('a connection that was cut is made again', async () => {
  start();
  await welcomed(1);
  server.cut();
  await welcomed(2);
  expect(connections).toEqual(['connected', 'disconnected', 'connected']);
});

test('renewing makes another connection', async () => {
  const connection = start();
  await welcomed(1);
  connection.renew();
  await welcomed(2);
});

test('it beats, and the answers bring the time', async () => {
  server.settings.heartbeatSeconds = 0.05;
  start();
  await until('three answers', () => times.length >= 5);
  expect(server.opened()).toBe(1);
});

test('a connection on which nothing comes any more is left for another', async () => {
  server.settings.heartbeatSeconds = 0.05;
  server.settings.answersHeartbeats = false;
  start();
  await welcomed(2);
  expect(lines[0]?.reason).toContain('silent');
});

test('what the server asks for when it says goodbye is obeyed', async () => {
  start();
  await welcomed(1);
  server.send({ type: 'goodbye', reason: 'update', retryAfterSeconds: 17 });
  expect(await logged('goodbye: update')).toMatchObject({ retryInMs: 17_000 });
});

test('failures in a row make it stay away longer, and a stable connection makes that forgotten', async () => {
  let nowMs = 0;
  start({ random: () => 1, monotonic: () => nowMs });
  for (let times = 1; times <= 3; times++) {
    await welcomed(times);
    server.cut();
  }
  await until('three lines', () => lines.length === 3);
  // a millisecond before it has lived for a heartbeat, and then just so long
  for (const livedMs of [29_999, 30_000]) {
    const count = lines.length;
    await welcomed(count + 1);
    nowMs += livedMs;
    server.cut();
    await until('another line', () => lines.length === count + 1);
  }
  expect(lines.map(({ retryInMs }) => retryInMs)).toEqual([500, 1_000, 2_000, 4_000, 500]);
});

describe('what the agent cannot read closes the connection, and it comes back', () => {
  test.each([
    ['no JSON', 'rubbish', 'JSON'],
    ['a frame of another kind', '{"type":"format-the-disk"}', 'frame'],
    ['a frame with more in it', '{"type":"heartbeat","serverTime":1,"also":1}', 'frame'],
    ['a frame out of turn', '{"type":"welcome","serverTime":1,"heartbeatSeconds":1}', 'expected offer'],
    ['a frame that is too long', `{"type":"${'x'.repeat(4_194_304)}"}`, '4194304 bytes'],
  ])('%s', async (_, text, reason) => {
    start();
    await welcomed(1);
    server.sendText(text);
    await logged(reason);
    await welcomed(2);
  });
  test('another protocol', async () => {
    const other = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request, bun) => (bun.upgrade(request) ? undefined : new Response()),
      websocket: {
        open: (socket) => void socket.send('{"type":"hello","protocol":2,"nonce":"n","serverTime":1}'),
        message: () => {},
      },
    });
    start({ url: `http://127.0.0.1:${other.port}` });
    await logged('the server speaks 2');
    await other.stop(true);
  });
});

describe('a server that cannot be reached has its reason in one line', () => {
  test('nobody listens', async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    start({ url });
    await logged('nobody listens');
  });
  test('a name that does not resolve', async () => {
    start({ url: 'http://no-such-name.invalid' });
    await logged('no-such-name.invalid does not resolve');
  });
  test('a captive portal', async () => {
    server.settings.intercept = () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } });
    start();
    await logged('HTTP 200');
  });
  test('one that takes the connection and says nothing', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    const address = mute.address();
    if (address === null || typeof address === 'string') throw new Error('expected a port');
    // the half minute that a handshake may take passes at once
    const after: LinkIo['after'] = (delayMs, wake) => realAfter(delayMs === 30_000 ? 20 : delayMs, wake);
    start({ url: `http://127.0.0.1:${address.port}`, after });
    await logged('half a minute');
    mute.close();
  });
});

test('a frame whose handling fails ends the link with its fault', async () => {
  const connection = start({
    inbox: {
      offer: () => {
        throw new Error('disk full');
      },
      resume: hear,
      cancel: hear,
    },
  });
  await welcomed(1);
  server.send({ type: 'offer', actionId: newActionId(), envelope: 'e', ticket: 't' });
  await expect(running).rejects.toThrow('disk full');
  running = null;
  connection.stop();
});
