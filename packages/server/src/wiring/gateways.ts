/** The wiring of gateway processes: their start, their trunks, the private socket for requests, their end. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSameSecret } from '../audit/same-secret.ts';
import type { TlsPair } from '../auth/certificates/tls-source.ts';
import type { SocketData, SocketEvents } from '../gateway/arrival.ts';
import type { GatewayChild } from '../relay/gateway-child.ts';
import { type GatewaySlot, gatewaySlot } from '../relay/gateway-slot.ts';
import { portShare } from '../relay/port-share.ts';
import { relayedSockets } from '../relay/relayed-sockets.ts';
import { type TrunkEnd, trunkEnd } from '../relay/trunk.ts';
import type { World } from './engine.ts';
import { type Doors, LISTENERS, type Listener, listenUrl, maxBodyBytesOf, requireFree } from './listen.ts';

/** What one gateway may leave untaken before it is given up: more than any number of devices is sent at once. */
const WAITING_BYTES = 67_108_864;
/** Longest path of a unix socket (unix(7)), less its zero. */
const SOCKET_PATH_BYTES = 107;
const SECRET_BYTES = 32;
/** Requests that a gateway may have on their way; the runtime's own default is 256, which watchers of events would fill. */
const REQUESTS_AT_ONCE = 8_192;
/**
 * Who is idle for too long is judged by the gateways: on a unix socket the runtime has one limit for all requests, ten seconds
 * unless told, which its types do not know.
 */
const NEVER_IDLE: object = { idleTimeout: 0 };
/** How often it is looked who of them is full, milliseconds. */
const SHARE_MS = 50;
/** Of what a process said before it ended. */
const LAST_WORDS = 2_000;

export type GatewaysIo = {
  readonly world: World;
  /** Starts the `longarm` program; arguments follow. */
  readonly longarm: readonly string[];
  readonly doors: Doors<SocketData>;
  readonly devices: SocketEvents;
  readonly pair: TlsPair | null;
};

const spawnGateway = (longarm: readonly string[]): GatewayChild => {
  const child = Bun.spawn([...longarm, 'server', '--gateway-process'], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'pipe',
    // nothing of what this process was started with is its business
    env: { BUN_CONFIG_MAX_HTTP_REQUESTS: String(REQUESTS_AT_ONCE) },
  });
  let said = '';
  const listen = async () => {
    const decoder = new TextDecoder();
    for await (const piece of child.stderr) said = (said + decoder.decode(piece, { stream: true })).slice(-LAST_WORDS);
  };
  const heard = listen();
  return {
    pid: child.pid,
    tell: (order) => {
      void child.stdin.write(`${JSON.stringify(order)}\n`);
      void child.stdin.flush();
    },
    kill: () => child.kill('SIGKILL'),
    ended: child.exited.then(async (code) => {
      await heard;
      return `${child.signalCode ?? `exit code ${code}`}${said.trim() === '' ? '' : `: ${said.trim()}`}`;
    }),
  };
};

type Paths = { readonly trunkPath: string; readonly requestPath: string };

/** A folder for this user alone, in which no socket of an earlier server is left. */
const relayFolder = async (dataFolder: string): Promise<Paths> => {
  const folder = join(dataFolder, 'relay');
  const paths = { trunkPath: join(folder, 'trunk.sock'), requestPath: join(folder, 'http.sock') };
  const spare = SOCKET_PATH_BYTES - Buffer.byteLength(paths.trunkPath);
  if (spare < 0)
    throw new Error(
      `The data folder's path is too long for the sockets of gateways: expected at most ${Buffer.byteLength(dataFolder) + spare} bytes, got ${Buffer.byteLength(dataFolder)}.`,
    );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  for (const path of Object.values(paths)) await rm(path, { force: true });
  return paths;
};

const listenForTrunks = (path: string, slots: readonly GatewaySlot[]) => {
  const newEnd = (socket: Parameters<typeof trunkEnd>[1]): TrunkEnd => {
    let slot: GatewaySlot | undefined;
    const end: TrunkEnd = trunkEnd(
      {
        maxWaitingBytes: WAITING_BYTES,
        onEnd: (reason) => slot?.detach(reason),
        onFrame: (frame) => {
          if (slot !== undefined) return slot.take(frame);
          const secret = frame.kind === 'hello' ? Buffer.from(frame.bytes).toString('base64url') : '';
          slot = slots.find((each) => each.hasSecret(secret));
          if (slot === undefined) end.cut('expected the secret of a gateway that this server has started');
          else slot.attach(end);
        },
      },
      socket,
    );
    return end;
  };
  return Bun.listen<TrunkEnd>({
    unix: path,
    socket: {
      open: (socket) => {
        socket.data = newEnd(socket);
      },
      data: ({ data }, piece) => data.data(piece),
      drain: ({ data }) => data.drain(),
      close: ({ data }) => data.closed(),
      error: ({ data }, fault) => data.cut(fault.message),
    },
  });
};

/** Files that only this user may open, however the process was started. */
const privately = <Made>(make: () => Made): Made => {
  const umask = process.umask(0o177);
  try {
    return make();
  } finally {
    process.umask(umask);
  }
};

const slotsOf = (io: GatewaysIo, paths: Paths, pair: () => TlsPair | null): readonly GatewaySlot[] => {
  const { config, log, metrics } = io.world;
  const { host, gateways, trustProxy } = config;
  const common = {
    ...paths,
    host,
    trustProxy,
    listeners: Math.ceil(LISTENERS / gateways),
    maxBodyBytes: maxBodyBytesOf(config),
    heartbeatMs: config.limits['heartbeat-seconds'] * 1_000,
  };
  const { message, heard, close } = io.devices;
  const open: SocketEvents['open'] = (carrier) => {
    // what gateways let become sockets is no request here
    metrics?.requests.inc({ endpoint: 'connect', status: '101' });
    io.devices.open(carrier);
  };
  const socketData = (remoteAddress: string | null): SocketData => ({ remoteAddress, session: null });
  return Array.from({ length: gateways }, (_, place) => {
    const slot: GatewaySlot = gatewaySlot({
      spawn: () => spawnGateway(io.longarm),
      newSecret: () => randomBytes(SECRET_BYTES).toString('base64url'),
      isSame: isSameSecret,
      startOrder: (secret, port) => ({ order: 'start', ...common, secret, port, pair: pair() }),
      sockets: (trunk) => relayedSockets({ trunk, events: { open, message, heard, close }, socketData }),
      monotonic: () => performance.now(),
      after: (delayMs, call) => {
        const timer = setTimeout(call, delayMs);
        return () => clearTimeout(timer);
      },
      onLost: (lost) => {
        metrics?.gatewayEnds.inc({ gateway: String(place) });
        log.error({ gateway: place, ...lost }, 'a gateway process ended; it is started again');
      },
      onUp: (pid) => log.info({ gateway: place, pid }, 'a gateway process is up'),
    });
    metrics?.watchGateway(String(place), slot.count);
    return slot;
  });
};

/** Starts them, and resolves when all listen. Throws with a sentence when they cannot. */
export const startGateways = async (io: GatewaysIo): Promise<Listener> => {
  const { config, folder } = io.world;
  requireFree(config);
  const paths = await relayFolder(folder.path);
  let { pair } = io;
  const slots = slotsOf(io, paths, () => pair);
  const requests = privately(() =>
    Bun.serve<SocketData>({
      unix: paths.requestPath,
      maxRequestBodySize: maxBodyBytesOf(config),
      ...NEVER_IDLE,
      development: false,
      fetch: io.doors.fetch,
      websocket: io.doors.websocket,
    }),
  );
  const trunks = privately(() => listenForTrunks(paths.trunkPath, slots));
  const share = portShare();
  const sharing = setInterval(() => share(slots.flatMap((slot) => slot.sharer() ?? [])), SHARE_MS);
  const stop = async () => {
    clearInterval(sharing);
    await Promise.all(slots.map((slot) => slot.stop()));
    trunks.stop(true);
    await requests.stop(true);
  };
  try {
    const [first, ...others] = slots;
    const port = (await first?.start(config.port)) ?? config.port;
    await Promise.all(others.map((slot) => slot.start(port)));
    return {
      port,
      replace: (next) => {
        pair = next;
        for (const slot of slots) slot.tell({ order: 'certificate', pair: next });
      },
      stop,
    };
  } catch (cause) {
    await stop();
    throw new Error(`${listenUrl(config, config.port)} cannot be listened on by gateways`, { cause });
  }
};
