/**
 * The network between devices and the server: connections that carry frames in order until they are cut, and requests.
 * As with TCP a frame is lost only with its connection; each side may hear of the end at another time, or never.
 */
import type { Dial, Socket, SocketEvents } from '@longarm/agent/link/socket';
import type { SendRequest } from '@longarm/agent/transfer/transfer-io';
import type { Connections } from '@longarm/server/gateway/connections';
import type { Faults } from './faults.ts';
import type { Hearsay } from './hearsay.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The server as the network reaches it. */
export type ServerEndpoint = {
  readonly life: Life;
  readonly connections: Connections;
  /** The door for bytes. Never rejects. */
  readonly answer: (request: Request, path: string) => Promise<Response>;
};

/** One device's way to the server. */
export type DeviceNetwork = {
  readonly dial: (life: Life) => Dial;
  readonly request: (life: Life) => SendRequest;
  /** Nothing passes, and nobody is told. */
  readonly setCutOff: (isCutOff: boolean) => void;
  /** Every connection is cut. */
  readonly cut: () => void;
};

export type NetworkIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly server: () => ServerEndpoint | null;
  readonly hearsay: Hearsay;
  /** Mean time between two cuts of a connection, milliseconds. */
  readonly meanConnectionMs: number;
};

type Open = { readonly die: (isSeenByBoth: boolean) => void };

const UNREACHED = 'Failed to connect';

const latency = ({ random, faults }: NetworkIo): number =>
  faults.strikes('frame-slow', 0.05) ? random.int(500, 20_000) : random.int(1, 40);

/** What came with a report is not always what was said: its bytes went bad on the device. */
const garbled = ({ faults }: NetworkIo, frame: string): string => {
  if (!frame.includes('"contents":[') || !faults.strikes('content-garbled', 0.2)) return frame;
  const report: { readonly contents: readonly { readonly content: string }[] } = JSON.parse(frame);
  const contents = report.contents.map((one) => ({ ...one, content: Buffer.from('bad').toString('base64') }));
  return JSON.stringify({ ...report, contents });
};

/** Both directions of one connection that the server has accepted. */
const carry = (
  io: NetworkIo,
  ends: {
    readonly device: Life;
    readonly events: SocketEvents;
    readonly server: ServerEndpoint;
    readonly onOver: () => void;
    /** The network breaks it, while something is under way. */
    readonly onCut: () => void;
  },
) => {
  const { time, random, faults } = io;
  const { events } = ends;
  /** Nothing passes any more. */
  let isDead = false;
  let isDeviceOpen = true;
  let isServerOpen = true;
  const lastAt = { server: 0, device: 0 };
  const inOrder = (to: 'server' | 'device', arrive: () => void) => {
    lastAt[to] = Math.max(lastAt[to], time.now() + latency(io));
    if (faults.strikes('connection-cut', 0.005)) time.after(random.int(0, 60), ends.onCut);
    time.after(lastAt[to] - time.now(), arrive);
  };
  const closeAtDevice = () => {
    if (!isDeviceOpen) return;
    isDeviceOpen = false;
    ends.onOver();
    if (!ends.device.isOver()) events.onClosed(null);
  };
  const closeAtServer = () => {
    if (!isServerOpen) return;
    isServerOpen = false;
    if (!ends.server.life.isOver()) ends.server.connections.close(session);
  };
  const close = () => {
    if (ends.server.life.isOver() || !isServerOpen) return;
    inOrder('device', () => {
      if (!isDead) closeAtDevice();
    });
    time.after(random.int(0, 50), closeAtServer);
  };
  const wire = {
    send: (text: string) => {
      if (ends.server.life.isOver() || !isServerOpen) return;
      io.hearsay.toDevice(text);
      inOrder('device', () => {
        if (!isDead && isDeviceOpen && !ends.device.isOver()) events.onMessage(text);
      });
    },
    close,
    terminate: close,
  };
  const session = ends.server.connections.open(wire, '192.0.2.1');
  return {
    send: (text: string) => {
      if (ends.device.isOver() || !isDeviceOpen) return;
      io.hearsay.toServer(text);
      const received = garbled(io, text);
      inOrder('server', () => {
        if (!isDead && isServerOpen && !ends.server.life.isOver()) ends.server.connections.receive(session, received);
      });
    },
    /** The device ends it, or has ended itself. */
    leave: () => {
      isDeviceOpen = false;
      ends.onOver();
      inOrder('server', () => {
        if (!isDead) closeAtServer();
      });
    },
    die: (isSeenByBoth: boolean) => {
      isDead = true;
      const [device, server]: readonly boolean[] = isSeenByBoth
        ? [true, true]
        : random.pick([
            [true, false],
            [false, true],
            [false, false],
          ]);
      if (device === true) time.after(random.int(0, 2_000), closeAtDevice);
      if (server === true) time.after(random.int(0, 2_000), closeAtServer);
    },
  };
};

type State = { isCutOff: boolean; readonly open: Set<Open> };

const dialWith =
  (io: NetworkIo, state: State) =>
  (device: Life): Dial =>
  (events): Socket => {
    const { time, random, faults } = io;
    let carried: ReturnType<typeof carry> | null = null;
    let isOver = false;
    const refuse = (delayMs: number) =>
      time.after(delayMs, () => {
        if (isOver || device.isOver()) return;
        isOver = true;
        events.onClosed(UNREACHED);
      });
    const arrive = () => {
      const server = io.server();
      if (isOver || device.isOver()) return;
      if (server === null || state.isCutOff) return void refuse(latency(io));
      const accepted = carry(io, {
        device,
        events,
        server,
        onOver: () => state.open.delete(accepted),
        onCut: () => {
          if (state.open.has(accepted)) accepted.die(true);
        },
      });
      carried = accepted;
      state.open.add(accepted);
      device.onEnd(() => (faults.strikes('connection-half-open', 0.5) ? accepted.die(false) : accepted.leave()));
      server.life.onEnd(() => accepted.die(!faults.strikes('connection-half-open', 0.3)));
      if (!faults.isOn('connection-cut') && !faults.isOn('connection-half-open')) return;
      const livesMs = -Math.log(1 - random.next()) * io.meanConnectionMs;
      time.after(livesMs, () => {
        if (!state.open.has(accepted)) return;
        if (faults.strikes('connection-half-open', 0.4)) accepted.die(false);
        else if (faults.strikes('connection-cut', 1)) accepted.die(true);
      });
    };
    if (!faults.strikes('dial-unanswered', 0.03)) {
      if (faults.strikes('dial-failed', 0.1)) refuse(latency(io));
      else time.after(latency(io), arrive);
    }
    return {
      send: (text) => carried?.send(text),
      close: () => {
        if (isOver) return;
        isOver = true;
        carried?.leave();
        events.onClosed(null);
      },
    };
  };

/** The body in pieces, which may break off. */
const onItsWay = (
  io: NetworkIo,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> => {
  const reader = body.getReader();
  const isCut = io.faults.strikes('body-cut', 0.15);
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const { value, done } = await reader.read();
    if (done) return controller.close();
    const cutAt = io.random.int(0, value.length);
    if (!isCut) return controller.enqueue(value);
    if (cutAt > 0) controller.enqueue(value.subarray(0, cutAt));
    controller.error(new Error('ECONNRESET: the body broke off'));
  };
  return new ReadableStream({ pull, cancel: () => reader.cancel() }, { highWaterMark: 0 });
};

/** Bytes as a stream of this world's own: the runtime's would come at times of its own. */
const streamOf = (body: NonNullable<RequestInit['body']>): ReadableStream<Uint8Array<ArrayBuffer>> => {
  if (body instanceof ReadableStream) return body;
  if (!(body instanceof Uint8Array)) throw new Error('a device of this world sends bytes or streams of them');
  const bytes = new Uint8Array(body);
  const start = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    if (bytes.length > 0) controller.enqueue(bytes);
    controller.close();
  };
  return new ReadableStream({ start });
};

/** Whoever listens sends the same once more, soon, as it was but for its body. */
const replay = (io: NetworkIo, server: ServerEndpoint, request: Request, path: string) => {
  const { method } = request;
  const again = new Request(request.url, { method, headers: new Headers(request.headers) });
  io.time.after(io.random.int(0, 3_000), async () => {
    if (server.life.isOver()) return;
    const { status } = await server.answer(again, path);
    io.hearsay.replayed(`${method} ${path}`, status);
  });
};

const requestWith =
  (io: NetworkIo, state: State) =>
  (device: Life): SendRequest =>
  (path, init = {}) =>
    new Promise<Response>((resolve, reject) => {
      const { time, faults } = io;
      const fail = () => void device.after(latency(io), () => reject(new Error('ECONNRESET: simulated')));
      init.signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      const answer = async (server: ServerEndpoint) => {
        const sent = init.body === undefined || init.body === null ? null : streamOf(init.body);
        const body = sent === null ? null : onItsWay(io, sent);
        const { method = 'GET', headers = {} } = init;
        const request = new Request(`http://server${path}`, { method, headers, body });
        const isReplayed = faults.strikes('request-replayed', 0.1);
        const answered = await server.answer(request, path);
        // one that was refused has shown its proof in vain, and it may be good for one request yet
        if (isReplayed && answered.ok) replay(io, server, request, path);
        if (faults.strikes('answer-lost', 0.05)) return fail();
        time.after(latency(io), () => {
          if (!device.isOver() && !state.isCutOff) resolve(answered);
        });
        // the device gives up by itself where nothing comes any more
        if (state.isCutOff) fail();
      };
      time.after(latency(io), () => {
        const server = io.server();
        if (device.isOver()) return;
        if (server === null || state.isCutOff || faults.strikes('request-lost', 0.05)) return fail();
        server.life.onEnd(fail);
        void answer(server);
      });
    });

export const deviceNetwork = (io: NetworkIo): DeviceNetwork => {
  const state: State = { isCutOff: false, open: new Set() };
  const cut = (isSeenByBoth: boolean) => {
    for (const open of [...state.open]) open.die(isSeenByBoth);
  };
  return {
    dial: dialWith(io, state),
    request: requestWith(io, state),
    setCutOff: (isCutOff) => {
      state.isCutOff = isCutOff;
      if (isCutOff) cut(false);
    },
    cut: () => cut(true),
  };
};
