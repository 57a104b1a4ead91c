/** The door for devices: from an HTTP upgrade to a session, and from the socket's events to its frames. */
import { FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { encodeFrame } from '@longarm/contract/wire/codec';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { ServerWebSocket, WebSocketHandler } from 'bun';
import type { Turn } from '../limits/pace.ts';
import type { Connections } from './connections.ts';
import type { Session } from './session.ts';

/** Bun's own idle limit, seconds, at its largest: silence is judged by `closeSilent`, on our clock. */
const SOCKET_IDLE_SECONDS = 960;

/** What the runtime keeps with a socket. */
export type SocketData = { readonly remoteAddress: string | null; session: Session | null };

export type GatewayIo = {
  readonly connections: Connections;
  /** When a device that connects is greeted; nothing is spent on it before. */
  readonly admit: () => Turn;
  readonly after: (delayMs: number, wake: () => void) => void;
};

export type Gateway = {
  readonly path: string;
  readonly socketData: (remoteAddress: string | null) => SocketData;
  readonly websocket: WebSocketHandler<SocketData>;
};

type Socket = ServerWebSocket<SocketData>;

const sendAway = (socket: Socket, retryAfterSeconds: number) => {
  const reason = 'too many devices connect at once';
  socket.send(encodeFrame({ type: 'goodbye', reason, retryAfterSeconds } satisfies FrameToAgent));
  socket.close();
};

const greet = ({ connections }: GatewayIo, socket: Socket) => {
  if (socket.readyState === WebSocket.OPEN) socket.data.session = connections.open(socket, socket.data.remoteAddress);
};

const onOpen = (io: GatewayIo, socket: Socket) => {
  const turn = io.admit();
  if (!turn.ok) return sendAway(socket, turn.retryAfterSeconds);
  if (turn.waitMs === 0) return greet(io, socket);
  io.after(turn.waitMs, () => greet(io, socket));
};

export const gateway = (io: GatewayIo): Gateway => ({
  path: AGENT_PATHS.connect,
  socketData: (remoteAddress) => ({ remoteAddress, session: null }),
  websocket: {
    idleTimeout: SOCKET_IDLE_SECONDS,
    maxPayloadLength: FRAME_TO_SERVER_BYTES,
    sendPings: false,
    open: (socket) => onOpen(io, socket),
    message: (socket, message) => {
      if (socket.data.session !== null) io.connections.receive(socket.data.session, message);
      // whoever speaks before it was greeted is no device of ours
      else socket.close();
    },
    close: (socket) => {
      if (socket.data.session !== null) io.connections.close(socket.data.session);
    },
  },
});
