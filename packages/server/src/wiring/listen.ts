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

/** Listeners that share a port would share it with a stranger as well: so the port has to be free at first. */
const requireFree = ({ host, port }: ServerConfig): void => {
  if (port !== 0) Bun.listen({ hostname: host, port, socket: { data: () => {} } }).stop(true);
};

/** `pair` is null without TLS. Throws when the address cannot be had. */
export const listen = (config: ServerConfig, pair: TlsPair | null, doors: Doors): Listener => {
  const open = (port: number, shown: TlsPair | null) =>
    Bun.serve<SocketData>({
      hostname: config.host,
      port,
      // the runtime's own reload keeps the old certificate: a new listener takes its place on the same port
      ...(shown === null ? {} : { tls: { cert: shown.certificatePem, key: shown.keyPem }, reusePort: true }),
      // uploads have limits of their own, and are streamed
      maxRequestBodySize: (config.limits['get-mib'] + config.limits['library-mib'] + 1) * MIB,
      idleTimeout: 60,
      development: false,
      fetch: doors.fetch,
      websocket: doors.websocket,
    });
  if (pair !== null) requireFree(config);
  let current = open(config.port, pair);
  const port = current.port ?? config.port;
  const older = new Set<typeof current>();
  return {
    port,
    replace: (next) => {
      const before = current;
      current = open(port, next);
      older.add(before);
      // takes no new connection, and keeps those that it has
      void before.stop().finally(() => older.delete(before));
    },
    stop: async () => {
      await Promise.all([current, ...older].map((server) => server.stop(true)));
    },
  };
};
