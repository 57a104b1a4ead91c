/** Two ends over a real socket pair, and one whose other side takes nothing. */
import { afterEach, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrunkFrame } from './frame.ts';
import { type TrunkEnd, type TrunkIo, trunkEnd } from './trunk.ts';

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const handlers = (io: TrunkIo) => ({
  open: (socket: Bun.Socket<TrunkEnd>) => {
    socket.data = trunkEnd(io, socket);
  },
  data: ({ data }: Bun.Socket<TrunkEnd>, piece: Uint8Array) => data.data(piece),
  drain: ({ data }: Bun.Socket<TrunkEnd>) => data.drain(),
  close: ({ data }: Bun.Socket<TrunkEnd>) => data.closed(),
});

/** Both ends; the far one hears nothing as long as it is paused. */
const pair = async (maxWaitingBytes: number) => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-trunk-'));
  const path = join(folder, 't.sock');
  const heard: TrunkFrame[] = [];
  const ends: string[] = [];
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const onFrame = (frame: TrunkFrame) => {
    heard.push(frame);
    wake();
  };
  const io = { maxWaitingBytes, onFrame, onEnd: wake };
  let far: Bun.Socket<TrunkEnd> | null = null;
  const server = Bun.listen<TrunkEnd>({
    unix: path,
    socket: {
      ...handlers(io),
      open: (socket) => {
        far = socket;
        socket.data = trunkEnd(io, socket);
        wake();
      },
    },
  });
  const near = await Bun.connect<TrunkEnd>({
    unix: path,
    socket: handlers({
      maxWaitingBytes,
      onFrame: () => {},
      onEnd: (reason) => {
        ends.push(reason);
        wake();
      },
    }),
  });
  closers.push(() => {
    near.terminate();
    server.stop(true);
    return rm(folder, { recursive: true });
  });
  const until = async (holds: () => boolean) => {
    while (!holds()) await changed.promise;
  };
  await until(() => far !== null);
  return { trunk: near.data, far: () => far, heard, ends, until };
};

test('many frames arrive whole and in order, however slowly they are taken', async () => {
  const { trunk, far, heard, until } = await pair(64 * 1_048_576);
  far()?.pause();
  const text = 'x'.repeat(3_000);
  for (let socket = 1; socket <= 5_000; socket++) trunk.send({ kind: 'text', socket, text });
  expect(trunk.waitingBytes()).toBeGreaterThan(14_000_000);
  far()?.resume();
  await until(() => heard.length === 5_000);
  expect(heard.every((frame, place) => frame.socket === place + 1 && 'text' in frame && frame.text === text)).toBe(
    true,
  );
  expect(trunk.waitingBytes()).toBe(0);
});

test('what the other side does not take is bounded: then it ends, and nothing is kept', async () => {
  const { trunk, far, ends, until } = await pair(1_000_000);
  far()?.pause();
  for (let socket = 1; socket <= 2_000; socket++) trunk.send({ kind: 'text', socket, text: 'x'.repeat(1_000) });
  await until(() => ends.length > 0);
  expect(ends).toEqual(['the other side does not take what it is sent']);
  expect(trunk.waitingBytes()).toBe(0);
  trunk.send({ kind: 'ping', socket: 0 });
  expect(trunk.waitingBytes()).toBe(0);
});

test('nonsense ends it, once', async () => {
  const { trunk, far, ends, until } = await pair(1_000_000);
  far()?.write(new Uint8Array([0, 0, 0, 0]));
  await until(() => ends.length > 0);
  trunk.cut('again');
  expect(ends).toHaveLength(1);
  expect(ends[0]).toContain('expected a frame of 5');
});
