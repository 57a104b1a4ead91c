/**
 * A bad network between two programs: a TCP proxy on loopback that forwards, delays, cuts, refuses, plays dead, or
 * answers in the server's stead as a captive portal does.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** From whom bytes come: who connected, or who is connected to. */
export type Direction = 'from-client' | 'from-server';

export type Weather =
  | { readonly kind: 'fair'; readonly delayMs?: number }
  /** New connections are closed at once; those that are open stay. */
  | { readonly kind: 'refusing' }
  /** Nothing is passed on, and nobody is told: what a half-open connection looks like. */
  | { readonly kind: 'deaf' }
  /** Whatever is asked on a new connection, a page of HTML answers. */
  | { readonly kind: 'portal' };

export type FaultProxy = {
  readonly port: number;
  /** When connections were tried, milliseconds on the clock of `performance.now`. */
  readonly attempts: () => readonly number[];
  /** From now on; connections that were deaf do not survive the change. */
  readonly change: (weather: Weather) => void;
  /** The first connection that has carried so many bytes in this direction is cut there; then the next number counts. */
  readonly cutAfter: (direction: Direction, bytes: readonly number[]) => void;
  /** Goes deaf as soon as one connection, from now on, has carried so many bytes in this direction. Resolves then. */
  readonly deafAfter: (direction: Direction, bytes: number) => Promise<void>;
  /** Bytes passed on so far, over all connections. */
  readonly passed: (direction: Direction) => number;
  /** Cuts that have not happened yet. */
  readonly cutsLeft: () => number;
  readonly cutAll: () => void;
  readonly close: () => Promise<void>;
};

const PORTAL_PAGE = '<!doctype html><title>Welcome</title><p>Accept our terms to use this network.';
const PORTAL_ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PORTAL_PAGE.length}\r\nConnection: close\r\n\r\n${PORTAL_PAGE}`;

type Pair = { readonly client: Socket; readonly upstream: Socket; isDeaf: boolean };

type Deafness = { readonly bytes: number; readonly begin: () => void };

type State = {
  weather: Weather;
  readonly passed: Record<Direction, number>;
  readonly deafness: Record<Direction, Deafness | null>;
  readonly pairs: Set<Pair>;
  readonly cuts: Record<Direction, number[]>;
  readonly attempts: number[];
};

const cut = (state: State, pair: Pair): void => {
  state.pairs.delete(pair);
  pair.client.resetAndDestroy();
  pair.upstream.resetAndDestroy();
};

/** Passes a chunk on; what waits for the other side to read is bounded by pausing. */
const pass = (from: Socket, to: Socket, chunk: Uint8Array): void => {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
};

/** Bytes of the chunk before the next cut of this direction, or null when it passes whole. */
const roomBeforeCut = (state: State, direction: Direction, carried: { before: number; chunk: number }) => {
  const [next] = state.cuts[direction];
  return next !== undefined && carried.before + carried.chunk >= next ? Math.max(0, next - carried.before) : null;
};

const pump = (state: State, pair: Pair, direction: Direction): void => {
  const [from, to] = direction === 'from-client' ? [pair.client, pair.upstream] : [pair.upstream, pair.client];
  let before = 0;
  from.on('data', (chunk: Uint8Array) => {
    if (before + chunk.length >= (state.deafness[direction]?.bytes ?? Number.POSITIVE_INFINITY))
      state.deafness[direction]?.begin();
    if (state.weather.kind === 'deaf') pair.isDeaf = true;
    if (pair.isDeaf) return;
    const room = roomBeforeCut(state, direction, { before, chunk: chunk.length });
    before += chunk.length;
    if (room !== null) {
      state.cuts[direction].shift();
      // what came before the cut arrives, and then nothing
      to.write(chunk.subarray(0, room), () => cut(state, pair));
      pair.isDeaf = true;
      return;
    }
    state.passed[direction] += chunk.length;
    const delayMs = state.weather.kind === 'fair' ? (state.weather.delayMs ?? 0) : 0;
    if (delayMs === 0) pass(from, to, chunk);
    else setTimeout(() => pass(from, to, chunk), delayMs);
  });
  from.on('end', () => {
    if (!pair.isDeaf) to.end();
  });
};

const connectThrough = (state: State, client: Socket, target: number): void => {
  const upstream = createConnection({ port: target, host: '127.0.0.1', allowHalfOpen: true });
  const pair: Pair = { client, upstream, isDeaf: state.weather.kind === 'deaf' };
  state.pairs.add(pair);
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    socket.on('error', () => cut(state, pair));
  }
  pump(state, pair, 'from-client');
  pump(state, pair, 'from-server');
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => {
    state.pairs.delete(pair);
    if (!pair.isDeaf) client.end();
  });
};

const receive = (state: State, client: Socket, target: number): void => {
  state.attempts.push(performance.now());
  if (state.weather.kind === 'refusing') {
    client.destroy();
    return;
  }
  if (state.weather.kind !== 'portal') {
    connectThrough(state, client, target);
    return;
  }
  client.on('error', () => client.destroy());
  client.once('data', () => client.end(PORTAL_ANSWER));
};

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

/** Forwards to this port of loopback until told otherwise. */
export const openFaultProxy = async (target: number): Promise<FaultProxy> => {
  const state: State = {
    weather: { kind: 'fair' },
    pairs: new Set(),
    passed: { 'from-client': 0, 'from-server': 0 },
    deafness: { 'from-client': null, 'from-server': null },
    cuts: { 'from-client': [], 'from-server': [] },
    attempts: [],
  };
  const server = createServer({ allowHalfOpen: true }, (client) => receive(state, client, target));
  const port = await listen(server);
  const cutAll = () => {
    for (const pair of [...state.pairs]) cut(state, pair);
  };
  return {
    port,
    attempts: () => state.attempts,
    change: (weather) => {
      if (weather.kind !== 'deaf') for (const pair of [...state.pairs]) if (pair.isDeaf) cut(state, pair);
      state.weather = weather;
    },
    cutAfter: (direction, bytes) => {
      state.cuts[direction] = [...bytes];
    },
    deafAfter: (direction, bytes) =>
      new Promise((resolve) => {
        const begin = () => {
          state.deafness[direction] = null;
          state.weather = { kind: 'deaf' };
          resolve();
        };
        state.deafness[direction] = { bytes, begin };
      }),
    passed: (direction) => state.passed[direction],
    cutsLeft: () => state.cuts['from-client'].length + state.cuts['from-server'].length,
    cutAll,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
};
