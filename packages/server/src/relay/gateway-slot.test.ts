/** A gateway process as the main process sees it, on a clock that the test moves: started, lost, hung, stopped. */
import { expect, test } from 'bun:test';
import type { TrunkFrame } from './frame.ts';
import { gatewaySlot, SILENT_MS } from './gateway-slot.ts';

const world = () => {
  let now = 1_000;
  let timers: { readonly at: number; readonly call: () => void }[] = [];
  const children: { readonly end: (how: string) => Promise<void>; readonly told: unknown[] }[] = [];
  const said: TrunkFrame[] = [];
  const lost: unknown[] = [];
  let closed = 0;
  const slot = gatewaySlot({
    spawn: () => {
      const ended = Promise.withResolvers<string>();
      const told: unknown[] = [];
      const end = async (how: string) => {
        ended.resolve(how);
        await ended.promise;
        await Promise.resolve();
      };
      children.push({ end, told });
      const pid = children.length;
      return { pid, tell: (order) => void told.push(order), kill: () => ended.resolve('killed'), ended: ended.promise };
    },
    isSame: (one, other) => one === other,
    newSecret: () => `secret-${children.length}`,
    startOrder: (secret, port) => ({
      order: 'start',
      secret,
      port,
      trunkPath: 't',
      requestPath: 'r',
      host: 'h',
      listeners: 1,
      maxBodyBytes: 1,
      trustProxy: false,
      heartbeatMs: 1,
      pair: null,
    }),
    sockets: () => ({ take: () => null, count: () => 7, closeAll: () => void closed++ }),
    monotonic: () => now,
    after: (delayMs, call) => {
      const timer = { at: now + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    onLost: (each) => void lost.push(each),
    onUp: () => {},
  });
  const pass = async (milliseconds: number) => {
    const until = now + milliseconds;
    for (;;) {
      const next = timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      timers = timers.filter((each) => each !== next);
      now = next.at;
      next.call();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    now = until;
  };
  const trunk = { send: (frame: TrunkFrame) => void said.push(frame), waitingBytes: () => 0, cut: () => {} };
  const comeUp = () => {
    slot.attach(trunk);
    slot.take({ kind: 'listening', socket: 0, text: JSON.stringify({ port: 8443, places: 3 }) });
  };
  return { slot, children, said, lost, pass, comeUp, closed: () => closed };
};

test('one that ends is started again at once, on the same port, and later and later while it goes on', async () => {
  const { slot, children, lost, pass, comeUp, closed } = world();
  const port = slot.start(0);
  comeUp();
  expect(await port).toBe(8443);
  for (const againMs of [0, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    const before = children.length;
    await children.at(-1)?.end('SIGKILL');
    expect(lost.at(-1)).toEqual({ how: 'SIGKILL', sockets: 7, againMs });
    await pass(againMs - 1);
    expect(children.length).toBe(before);
    await pass(1);
    expect(children.length).toBe(before + 1);
    expect(children.at(-1)?.told).toMatchObject([{ order: 'start', port: 8443, secret: `secret-${before + 1}` }]);
    comeUp();
  }
  expect(closed()).toBe(8);
});

test('one that lived for a while has ended for another reason', async () => {
  const { slot, children, lost, comeUp, pass } = world();
  void slot.start(0);
  comeUp();
  for (let time = 0; time < 3; time++) {
    await children.at(-1)?.end('SIGKILL');
    await pass(1_000);
    comeUp();
  }
  // it answers its pings meanwhile
  for (let second = 0; second < 61; second++) {
    await pass(1_000);
    slot.take({ kind: 'pong', socket: 0 });
  }
  await children.at(-1)?.end('SIGKILL');
  expect(lost.at(-1)).toMatchObject({ againMs: 0 });
});

test('one that hangs is ended and started again', async () => {
  const { slot, children, said, lost, pass, comeUp } = world();
  void slot.start(0);
  comeUp();
  await pass(SILENT_MS);
  expect(said.filter(({ kind }) => kind === 'ping').length).toBeGreaterThan(3);
  expect(lost).toEqual([]);
  await pass(10_000);
  expect(lost[0]).toMatchObject({ how: 'killed' });
  expect(children.length).toBeGreaterThan(1);
});

test('a first start that fails says why, and is not tried again', async () => {
  const { slot, children, pass } = world();
  const port = slot.start(1);
  await children[0]?.end('exit code 1: no such address');
  await expect(port).rejects.toThrow('exit code 1: no such address');
  await pass(60_000);
  expect(children).toHaveLength(1);
});

test('its secret is good for one trunk, and for the process that has it now', async () => {
  const { slot, children, pass, comeUp } = world();
  void slot.start(0);
  expect([slot.hasSecret('secret-1'), slot.hasSecret('secret-2')]).toEqual([true, false]);
  comeUp();
  expect(slot.hasSecret('secret-1')).toBe(false);
  await children[0]?.end('SIGKILL');
  await pass(0);
  expect([slot.hasSecret('secret-1'), slot.hasSecret('secret-2')]).toEqual([false, true]);
});

test('told to stop it has its time, and then it is ended', async () => {
  const { slot, said, lost, pass, comeUp } = world();
  void slot.start(0);
  comeUp();
  const stopped = slot.stop();
  expect(said.at(-1)).toEqual({ kind: 'stop', socket: 0 });
  await pass(5_000);
  await stopped;
  expect(lost).toEqual([]);
});
