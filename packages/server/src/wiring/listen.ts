/** The port that everything but the local administration comes in by, and how a process listens on it. */
import { hostname } from 'node:os';
import type { Server, WebSocketHandler } from 'bun';
import type { TlsPair } from '../auth/certificates/tls-source.ts';
import type { ServerConfig } from '../config.ts';

const MIB = 1_048_576;

/** The address that callers use when no public one is configured. */
export const listenUrl = (config: ServerConfig, port: number): string => {
  const isWildcard = config.host === '0.0.0.0' || config.host === '::';
  const host = isWildcard ? hostname() : config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${config.tls === 'off' ? 'http' : 'https'}://${host}:${port}`;
};

export type Doors<Data> = {
  readonly fetch: (request: Request, server: Server<Data>) => Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<Data>;
};

export type Listener = {
  readonly port: number;
  /** New connections see this certificate from now on; those that are there keep theirs, and go on until they end. */
  readonly replace: (pair: TlsPair) => void;
  /** Ends every connection. */
  readonly stop: () => Promise<void>;
};

/** A listener among others that share its port. */
export type SharingListener = Listener & {
  /** Takes new connections, as at first, or leaves them to the others; those that are there stay. */
  readonly take: (takes: boolean) => void;
};

/**
 * The runtime lets 512 connections wait for a listener, as many more may be half open, and the kernel drops the rest: a herd
 * fills that while one turn of the loop passes, and whoever was dropped, a caller of the API too, tries again after a second,
 * then two, then four. Linux spreads connections over listeners that share a port; other systems do not.
 */
export const LISTENERS = process.platform === 'linux' ? 16 : 1;

/** Connections that are idle for so many seconds are closed, unless a request says otherwise. */
const IDLE_SECONDS = 60;

/** Listeners that share a port would share it with a stranger as well: so the port has to be free at first. */
export const requireFree = ({ host, port }: Pick<ServerConfig, 'host' | 'port'>): void => {
  if (port !== 0) Bun.listen({ hostname: host, port, socket: { data: () => {} } }).stop(true);
};

/** Uploads have limits of their own, and are streamed. */
export const maxBodyBytesOf = ({ limits }: ServerConfig): number =>
  (limits['get-mib'] + limits['library-mib'] + 1) * MIB;

export type Place = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Of this process; others may share the port. */
  readonly listeners: number;
  readonly maxBodyBytes: number;
};

type Opening<Data> = { readonly place: Place; readonly doors: Doors<Data> };

const openOne = <Data>({ place, doors }: Opening<Data>, port: number, pair: TlsPair | null) =>
  Bun.serve<Data>({
    hostname: place.host,
    port,
    // the runtime's own reload keeps the old certificate: new listeners take the old ones' place on the same port
    reusePort: LISTENERS > 1 || pair !== null,
    ...(pair === null ? {} : { tls: { cert: pair.certificatePem, key: pair.keyPem } }),
    maxRequestBodySize: place.maxBodyBytes,
    idleTimeout: IDLE_SECONDS,
    development: false,
    fetch: doors.fetch,
    websocket: doors.websocket,
  });

/** All of them on one port. */
const openAll = <Data>(opening: Opening<Data>, port: number, pair: TlsPair | null) => {
  const first = openOne(opening, port, pair);
  const chosen = first.port ?? port;
  const others = Array.from({ length: opening.place.listeners - 1 }, () => openOne(opening, chosen, pair));
  return { port: chosen, servers: [first, ...others] };
};

/** `pair` is null without TLS. Throws when the address cannot be had. */
export const listen = <Data>(place: Place, pair: TlsPair | null, doors: Doors<Data>): SharingListener => {
  const opening = { place, doors };
  const opened = openAll(opening, place.port, pair);
  const { port } = opened;
  let current: readonly Server<Data>[] = opened.servers;
  let latest = pair;
  const older = new Set<Server<Data>>();
  /** New ones take the place of those that were there, which take no new connection and keep those that they have. */
  const change = (next: readonly Server<Data>[]) => {
    const before = current;
    current = next;
    for (const server of before) {
      older.add(server);
      void server.stop().finally(() => older.delete(server));
    }
  };
  const open = () => openAll(opening, port, latest).servers;
  return {
    port,
    replace: (next) => {
      latest = next;
      if (current.length > 0) change(open());
    },
    take: (takes) => {
      if (takes !== current.length > 0) change(takes ? open() : []);
    },
    stop: async () => {
      await Promise.all([...current, ...older].map((server) => server.stop(true)));
    },
  };
};
