/** The door for devices: from an HTTP upgrade to a session, and from the socket's events to its frames. */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { AGENT_PATHS, PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import type { ServerWebSocket, WebSocketHandler } from 'bun';
import { type FrameHandler, newSession, receive, type Session, send } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Bun's own idle limit, seconds, at its largest: silence is judged by `closeSilent`, on our clock. */
const SOCKET_IDLE_SECONDS = 960;

/** What the runtime keeps with a socket. */
export type SocketData = { readonly remoteAddress: string | null; session: Session | null };

type GatewayIo = {
  readonly sessions: Sessions;
  readonly handle: FrameHandler;
  readonly now: () => EpochMs;
  readonly newId: () => string;
  readonly newNonce: () => string;
  /** The machine is no longer connected by this session. */
  readonly onGone: (machineId: MachineId, sessionId: string) => Promise<void>;
  readonly onFault: (session: Session, fault: unknown) => void;
};

export type Gateway = {
  readonly path: string;
  readonly socketData: (remoteAddress: string | null) => SocketData;
  readonly websocket: WebSocketHandler<SocketData>;
};

const openSession = (io: GatewayIo, socket: ServerWebSocket<SocketData>) => {
  const session = newSession({
    id: io.newId(),
    nonce: io.newNonce(),
    remoteAddress: socket.data.remoteAddress,
    wire: { send: (text) => void socket.send(text), close: () => socket.close() },
    now: io.now(),
  });
  socket.data.session = session;
  io.sessions.track(session);
  send(session, { type: 'hello', protocol: PROTOCOL_VERSION, nonce: session.nonce, serverTime: io.now() });
};

const closeSession = (io: GatewayIo, session: Session) => {
  session.phase = 'closed';
  const wasConnected = io.sessions.leave(session);
  if (!wasConnected || session.machineId === null) return;
  // after what it sent last has been handled
  session.tail = session.tail
    .then(() => (session.machineId === null ? undefined : io.onGone(session.machineId, session.id)))
    .catch((fault) => io.onFault(session, fault));
};

export const gateway = (io: GatewayIo): Gateway => {
  const onMessage = receive({ handle: io.handle, now: io.now, onFault: io.onFault });
  return {
    path: AGENT_PATHS.connect,
    socketData: (remoteAddress) => ({ remoteAddress, session: null }),
    websocket: {
      idleTimeout: SOCKET_IDLE_SECONDS,
      maxPayloadLength: FRAME_TO_SERVER_BYTES,
      sendPings: false,
      open: (socket) => openSession(io, socket),
      message: (socket, message) => {
        if (socket.data.session !== null) onMessage(socket.data.session, message);
      },
      close: (socket) => {
        if (socket.data.session !== null) closeSession(io, socket.data.session);
      },
    },
  };
};
