/** Memory of a server that is flooded: by strangers, by a device that never reads, by one that does not go when told. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { growthDuring } from '@longarm/testkit/peak-memory';
import { openSite, type TestSite } from '@longarm/testkit/test-site';
import type { Socket } from 'bun';
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

/** One frame of a client (RFC 6455 5.2), under a mask of zeros, which leaves the payload as it is. */
const masked = (payload: string): Buffer => {
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(Buffer.byteLength(payload)), 2);
  return Buffer.concat([header, Buffer.from(payload)]);
};

type Flood = { readonly frame: string; readonly bytes: number; readonly first: (nonce: string) => string };

/** A client that sends one frame again and again and obeys nothing, until it is cut off or done. */
const rudeClient = async ({ frame, bytes, first }: Flood): Promise<void> => {
  const over = Promise.withResolvers<void>();
  const many = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => masked(frame)));
  let sent = 0;
  let waiting: Buffer | null = null;
  let place = 0;
  const pump = (socket: Socket) => {
    while (waiting !== null && sent < bytes) {
      const taken = socket.write(waiting.subarray(place));
      if (taken <= 0) return;
      sent += taken;
      place += taken;
      if (place < waiting.length) return;
      [waiting, place] = [many, 0];
    }
    if (sent >= bytes) socket.terminate();
  };
  let text = '';
  const { hostname, port } = new URL(site.url);
  const head = `GET ${AGENT_PATHS.connect} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
  const key = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (socket) => void socket.write(head + key),
      data: (socket, chunk) => {
        if (waiting !== null) return;
        text += chunk.toString('latin1');
        const [, nonce] = /"nonce":"([^"]+)"/.exec(text) ?? [];
        if (nonce === undefined) return;
        // never reads again
        socket.pause();
        waiting = masked(first(nonce));
        pump(socket);
      },
      drain: pump,
      close: () => over.resolve(),
      error: () => over.resolve(),
    },
  });
  await over.promise;
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
  const flood = {
    frame: JSON.stringify(report),
    bytes: 400 * MIB,
    first: (nonce: string) => JSON.stringify(key.prove(nonce)),
  };
  const { growth } = await growthDuring([pid()], () => rudeClient(flood));
  expect(growth[0]).toBeLessThan(GROWTH_BYTES);
  await isUp();
});

test('many frames that are small, and answered', async () => {
  const key = await enrolKey(site.url, enrolToken);
  const flood = {
    frame: '{"type":"heartbeat"}',
    bytes: 16 * MIB,
    first: (nonce: string) => JSON.stringify(key.prove(nonce)),
  };
  const { growth } = await growthDuring([pid()], () => rudeClient(flood));
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
