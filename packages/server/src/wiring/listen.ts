/** The socket that everything but the local administration comes in by. */
import { hostname } from 'node:os';
import type { Server } from 'bun';
import type { TlsPair } from '../auth/certificates/tls-source.ts';
import type { ServerConfig } from '../config.ts';
import type { gateway, SocketData } from '../gateway/upgrade.ts';

const MIB = 1_048_576;

/** The address that callers use when no public one is configured. */
export const listenUrl = (config: ServerConfig, port: number): string => {
  const isWildcard = config.host === '0.0.0.0' || config.host === '::';
  const host = isWildcard ? hostname() : config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${config.tls === 'off' ? 'http' : 'https'}://${host}:${port}`;
};

type Doors = {
  readonly fetch: (request: Request, server: Server<SocketData>) => Promise<Response | undefined>;
  readonly websocket: ReturnType<typeof gateway>['websocket'];
};

export type Listener = {
  readonly port: number;
  /** New connections see this certificate from now on; those that are there keep theirs, and go on until they end. */
  readonly replace: (pair: TlsPair) => void;
  /** Ends every connection. */
  readonly stop: () => Promise<void>;
};

/**
 * The runtime lets 512 connections wait for a listener, as many more may be half open, and the kernel drops the rest: a herd
 * fills that while one turn of the loop passes, and whoever was dropped, a caller of the API too, tries again after a second,
 * then two, then four. Linux spreads connections over listeners that share a port; other systems do not.
 */
const LISTENERS = process.platform === 'linux' ? 16 : 1;

/** Listeners that share a port would share it with a stranger as well: so the port has to be free at first. */
const requireFree = ({ host, port }: ServerConfig): void => {
  if (port !== 0) Bun.listen({ hostname: host, port, socket: { data: () => {} } }).stop(true);
};

type Place = { readonly config: ServerConfig; readonly doors: Doors };

const openOne = ({ config, doors }: Place, port: number, pair: TlsPair | null) =>
  Bun.serve<SocketData>({
    hostname: config.host,
    port,
    // the runtime's own reload keeps the old certificate: new listeners take the old ones' place on the same port
    reusePort: LISTENERS > 1 || pair !== null,
    ...(pair === null ? {} : { tls: { cert: pair.certificatePem, key: pair.keyPem } }),
    // uploads have limits of their own, and are streamed
    maxRequestBodySize: (config.limits['get-mib'] + config.limits['library-mib'] + 1) * MIB,
    idleTimeout: 60,
    development: false,
    fetch: doors.fetch,
    websocket: doors.websocket,
  });

/** All of them on one port; port 0 lets the system choose. */
const openAll = (place: Place, port: number, pair: TlsPair | null) => {
  const first = openOne(place, port, pair);
  const chosen = first.port ?? port;
  const others = Array.from({ length: LISTENERS - 1 }, () => openOne(place, chosen, pair));
  return { port: chosen, servers: [first, ...others] };
};

/** `pair` is null without TLS. Throws when the address cannot be had. */
export const listen = (config: ServerConfig, pair: TlsPair | null, doors: Doors): Listener => {
  requireFree(config);
  const place = { config, doors };
  const opened = openAll(place, config.port, pair);
  const { port } = opened;
  let current = opened.servers;
  const older = new Set<Server<SocketData>>();
  return {
    port,
    replace: (next) => {
      const before = current;
      current = openAll(place, port, next).servers;
      for (const server of before) {
        older.add(server);
        // takes no new connection, and keeps those that it has
        void server.stop().finally(() => older.delete(server));
      }
    },
    stop: async () => {
      await Promise.all([...current, ...older].map((server) => server.stop(true)));
    },
  };
};
