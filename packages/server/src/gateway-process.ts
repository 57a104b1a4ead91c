/** A gateway process: the program that `longarm server --gateways` starts, never anybody else. */
import { createInterface } from 'node:readline';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import { SOCKET_TERMS } from './gateway/upgrade.ts';
import { isForDevices, proxiedAddress, TRANSFER_IDLE_SECONDS } from './http/front-door.ts';
import { type CarriedData, type CarriedSockets, carrySockets, WAITING_BYTES } from './relay/carry-sockets.ts';
import type { TrunkFrame } from './relay/frame.ts';
import { GatewayOrder, type Listening, type StartOrder } from './relay/orders.ts';
import { passOn } from './relay/pass-on.ts';
import { openFilesLimit, placesOf } from './relay/places.ts';
import { type Trunk, type TrunkEnd, trunkEnd } from './relay/trunk.ts';
import { type Doors, listen, type SharingListener } from './wiring/listen.ts';

/** Above what is sent away, there are closes and the last messages; more than that is a fault. */
const MOST_WAITING_BYTES = 4 * WAITING_BYTES;
/** Heartbeats are told of in so many parts of the time between two of them, and each second at least. */
const HEARD_PARTS = 20;
const HEARD_MS = { least: 10, most: 1_000 } as const;

const connectTrunk = async (order: StartOrder, onFrame: (frame: TrunkFrame) => void): Promise<Trunk> => {
  // without the main process there is nothing to be a gateway of
  const io = { onFrame, onEnd: () => process.exit(0), maxWaitingBytes: MOST_WAITING_BYTES };
  const socket = await Bun.connect<TrunkEnd>({
    unix: order.trunkPath,
    socket: {
      open: (opened) => {
        opened.data = trunkEnd(io, opened);
      },
      data: ({ data }, piece) => data.data(piece),
      drain: ({ data }) => data.drain(),
      close: ({ data }) => data.closed(),
      error: ({ data }, fault) => data.cut(fault.message),
    },
  });
  socket.data.send({ kind: 'hello', socket: 0, bytes: Buffer.from(order.secret, 'base64url') });
  return socket.data;
};

const doorsOf = (order: StartOrder, carried: CarriedSockets): Doors<CarriedData> => {
  const { trustProxy, requestPath } = order;
  const pass = passOn({ requestPath });
  return {
    websocket: carried.websocket,
    fetch: async (request, server) => {
      const peer = server.requestIP(request)?.address ?? null;
      const path = URL.parse(request.url)?.pathname ?? '';
      if (path === AGENT_PATHS.connect) {
        const address = proxiedAddress(trustProxy, request.headers) ?? peer;
        if (server.upgrade(request, { data: carried.socketData(address) })) return undefined;
      }
      if (isForDevices(path)) server.timeout(request, TRANSFER_IDLE_SECONDS);
      return pass({ request, remoteAddress: peer, keepOpen: () => server.timeout(request, 0) });
    },
  };
};

const start = async (order: StartOrder): Promise<SharingListener> => {
  let listener: SharingListener | null = null;
  let carried: CarriedSockets | null = null;
  const trunk = await connectTrunk(order, (frame) => {
    if (frame.kind === 'ping') trunk.send({ kind: 'pong', socket: 0 });
    else if (frame.kind === 'stop') void listener?.stop().finally(() => process.exit(0));
    else carried?.take(frame);
  });
  const places = placesOf(openFilesLimit());
  const sockets = carrySockets({
    trunk,
    terms: SOCKET_TERMS,
    hasPlace: () => sockets.count() < places,
    now: Date.now,
    random: Math.random,
  });
  carried = sockets;
  listener = listen(order, order.pair, doorsOf(order, sockets));
  const heardMs = Math.min(HEARD_MS.most, Math.max(HEARD_MS.least, order.heartbeatMs / HEARD_PARTS));
  setInterval(sockets.tellHeard, heardMs);
  const listening: Listening = { port: listener.port, places: Number.isFinite(places) ? places : null };
  trunk.send({ kind: 'listening', socket: 0, text: JSON.stringify(listening) });
  return listener;
};

/** Runs until its input or its trunk ends. Rejects with a sentence when the address cannot be had. */
export const runGatewayProcess = async (input: NodeJS.ReadableStream): Promise<void> => {
  let listener: SharingListener | null = null;
  // whoever stops the whole group means the main process, which stops its gateways in order
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  for await (const line of createInterface({ input })) {
    const order = GatewayOrder.parse(JSON.parse(line));
    if (order.order === 'start') listener = await start(order);
    else if (order.order === 'certificate') listener?.replace(order.pair);
    else listener?.take(order.takes);
  }
  process.exit(0);
};
