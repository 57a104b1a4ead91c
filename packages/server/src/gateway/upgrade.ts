/** The door for devices: from an HTTP upgrade to a session, and from the socket's events to its frames. */
import { FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import type { WebSocketHandler } from 'bun';
import type { Connections } from './connections.ts';
import type { Session } from './session.ts';

/** Bun's own idle limit, seconds, at its largest: silence is judged by `closeSilent`, on our clock. */
const SOCKET_IDLE_SECONDS = 960;

/** What the runtime keeps with a socket. */
export type SocketData = { readonly remoteAddress: string | null; session: Session | null };

export type Gateway = {
  readonly path: string;
  readonly socketData: (remoteAddress: string | null) => SocketData;
  readonly websocket: WebSocketHandler<SocketData>;
};

export const gateway = (connections: Connections): Gateway => ({
  path: AGENT_PATHS.connect,
  socketData: (remoteAddress) => ({ remoteAddress, session: null }),
  websocket: {
    idleTimeout: SOCKET_IDLE_SECONDS,
    maxPayloadLength: FRAME_TO_SERVER_BYTES,
    sendPings: false,
    open: (socket) => {
      const wire = { send: (text: string) => void socket.send(text), close: () => socket.close() };
      socket.data.session = connections.open(wire, socket.data.remoteAddress);
    },
    message: (socket, message) => {
      if (socket.data.session !== null) connections.receive(socket.data.session, message);
    },
    close: (socket) => {
      if (socket.data.session !== null) connections.close(socket.data.session);
    },
  },
});
