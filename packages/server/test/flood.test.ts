/** Memory of a server that is flooded: by strangers, by a device that never reads, by one that does not go when told. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { openSite, type TestSite } from '@longarm/testkit/test-site';
import { enrolKey, openSocket } from './raw-device.ts';

const MIB = 1_048_576;
/** What it may grow by, whatever is sent; what it is sent is many times as much. */
const GROWTH_BYTES = 64 * MIB;

let site: TestSite;
let enrolToken: string;
beforeAll(async () => {
  site = await openSite();
  const { token } = await site.admin.call('createEnrolToken', { tags: [], maxUses: null, validHours: null });
  enrolToken = token;
});
afterAll(() => site.close());

const pid = () => site.server().pid;
const isUp = async () => expect((await fetch(`${site.url}/health`)).status).toBe(200);

/** A WebSocket client (RFC 6455) that sends one frame again and again and obeys nothing, until it is cut off or done. */
const rudeClient = (frame: Buffer, options: { readonly bytes: number; readonly first: (nonce: string) => string }) => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const { hostname, port } = new URL(site.url);
  const socket = connect(Number(port), hostname);
  let sent = 0;
  const masked = (payload: Buffer): Buffer => {
    const header = Buffer.alloc(14);
    header[0] = 0x81;
    header[1] = 0x80 | 127;
    header.writeBigUInt64BE(BigInt(payload.length), 2);
    // a mask of zeros leaves the payload as it is
    return Buffer.concat([header, payload]);
  };
  const message = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => masked(frame)));
  const pump = () => {
    while (sent < options.bytes && !socket.destroyed) {
      sent += message.length;
      if (!socket.write(message)) return;
    }
    if (sent >= options.bytes) socket.destroy();
  };
  let text = '';
  const onData = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const [, nonce] = /"nonce":"([^"]+)"/.exec(text) ?? [];
    if (nonce === undefined) return;
    // never reads again
    socket.off('data', onData);
    socket.pause();
    socket.write(masked(Buffer.from(options.first(nonce))));
    socket.on('drain', pump);
    pump();
  };
  socket.on('data', onData);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => resolve(sent));
  socket.write(
    `GET ${AGENT_PATHS.connect} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  return promise;
};

test('a device that floods, reads nothing and does not go when it is told', async () => {
  const key = await enrolKey(site.url, enrolToken);
  const errors = Array.from({ length: 20 }, () => 'x'.repeat(2_000));
  const report = {
    type: 'report',
    sequence: 1,
    fact: {
      kind: 'command-finished',
      actionId: '00000000-0000-4000-8000-000000000000',
      index: 0,
      at: 1,
      outcome: 'Failed',
      errors,
      exitCode: null,
      results: [],
    },
  };
  const frame = Buffer.from(JSON.stringify(report));
  const flood = { bytes: 400 * MIB, first: (nonce: string) => JSON.stringify(key.prove(nonce)) };
  const { growth, result: sent } = await growthDuring([pid()], () => rudeClient(frame, flood));
  expect(growth[0]).toBeLessThan(GROWTH_BYTES);
  // it was cut off long before it had sent everything
  expect(sent).toBeLessThan(100 * MIB);
  await isUp();
});

test('many frames that are small, and answered', async () => {
  const key = await enrolKey(site.url, enrolToken);
  const flood = { bytes: 16 * MIB, first: (nonce: string) => JSON.stringify(key.prove(nonce)) };
  const { growth } = await growthDuring([pid()], () => rudeClient(Buffer.from('{"type":"heartbeat"}'), flood));
  expect(growth[0]).toBeLessThan(GROWTH_BYTES);
  await isUp();
});

test('strangers whose frames nest without end', async () => {
  const work = async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(site.url)));
    for (const socket of sockets) socket.send('['.repeat(200_000));
    await Promise.all(sockets.map((socket) => socket.closed()));
  };
  const { growth } = await growthDuring([pid()], work);
  expect(growth[0]).toBeLessThan(GROWTH_BYTES);
  await isUp();
});
