/**
 * A server that lets a real agent in and then says whatever a test wants it to, in the frames of the real protocol or
 * in none. It acknowledges every report, serves the files that it was given, and takes uploads.
 */
import { AGENT_PATHS, PROTOCOL_VERSION, TRANSFER_HEADERS, TUS_VERSION } from '@longarm/contract/wire/protocol';
import { FrameToServer, type Report } from '@longarm/contract/wire/to-server';
import type { ServerWebSocket } from 'bun';
import { until } from './until.ts';

export type HostileServer = {
  readonly url: string;
  /** Sends to the agent that is connected now; text as it is, bytes as a binary frame. */
  readonly send: (data: string | Uint8Array) => void;
  /** What agents reported so far about this action. */
  readonly factsOf: (actionId: string) => readonly Report['fact'][];
  /** How many connections have proven themselves and were welcomed. */
  readonly welcomed: () => number;
  /** Resolves when so many were welcomed. */
  readonly untilWelcomed: (count: number) => Promise<void>;
  /** GET of a path below `/agent/v1/actions/ID/files/` that ends so is answered with these bytes. */
  readonly serveFile: (sha256: string, bytes: string) => void;
  readonly stop: () => Promise<void>;
};

type State = {
  current: ServerWebSocket<undefined> | null;
  welcomed: number;
  readonly facts: Report['fact'][];
  readonly files: Map<string, string>;
};

const sendFrame = (socket: ServerWebSocket<undefined>, frame: object): void => void socket.send(JSON.stringify(frame));

const onMessage = (state: State, socket: ServerWebSocket<undefined>, text: string): void => {
  const frame = FrameToServer.parse(JSON.parse(text));
  switch (frame.type) {
    case 'prove':
      state.current = socket;
      sendFrame(socket, { type: 'welcome', serverTime: Date.now(), heartbeatSeconds: 30 });
      state.welcomed++;
      return;
    case 'report':
      state.facts.push(frame.fact);
      sendFrame(socket, { type: 'acknowledge', sequence: frame.sequence });
      return;
    case 'heartbeat':
      sendFrame(socket, { type: 'heartbeat', serverTime: Date.now() });
      return;
  }
};

/** Takes an upload in one piece, as a small result comes. */
const takeUpload = async (request: Request): Promise<Response> => {
  const headers = { [TRANSFER_HEADERS.tusVersion]: TUS_VERSION };
  const bytes = new Uint8Array(await request.arrayBuffer());
  const isWhole = request.method === 'PATCH' || request.headers.get(TRANSFER_HEADERS.uploadLength) === '0';
  const sha256 = new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
  return new Response(null, {
    status: request.method === 'PATCH' ? 204 : 201,
    headers: {
      ...headers,
      [TRANSFER_HEADERS.uploadOffset]: String(bytes.length),
      ...(isWhole ? { [TRANSFER_HEADERS.sha256]: sha256 } : {}),
    },
  });
};

const answer = (state: State, request: Request): Response | Promise<Response> => {
  if (request.method !== 'GET') return takeUpload(request);
  const bytes = state.files.get(new URL(request.url).pathname.split('/').at(-1) ?? '');
  return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes);
};

export type HostileOptions = {
  readonly port?: number;
  /** The certificate that it shows; plain HTTP where there is none. */
  readonly tls?: { readonly cert: string; readonly key: string };
};

export const openHostileServer = ({ port = 0, tls }: HostileOptions = {}): HostileServer => {
  const state: State = { current: null, welcomed: 0, facts: [], files: new Map() };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    ...(tls === undefined ? {} : { tls }),
    fetch: (request, bun) => {
      const isConnect = new URL(request.url).pathname === AGENT_PATHS.connect;
      return isConnect && bun.upgrade(request, { data: undefined }) ? undefined : answer(state, request);
    },
    websocket: {
      data: undefined,
      open: (socket) =>
        sendFrame(socket, { type: 'hello', protocol: PROTOCOL_VERSION, nonce: 'n', serverTime: Date.now() }),
      message: (socket, text) => onMessage(state, socket, String(text)),
    },
  });
  return {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${server.port}`,
    send: (data) => void state.current?.send(data),
    factsOf: (actionId) => state.facts.filter((fact) => fact.actionId === actionId),
    welcomed: () => state.welcomed,
    untilWelcomed: async (count) => {
      await until(
        async () => state.welcomed,
        (welcomed) => welcomed >= count,
      );
    },
    serveFile: (sha256, bytes) => void state.files.set(sha256, bytes),
    stop: () => server.stop(true),
  };
};
