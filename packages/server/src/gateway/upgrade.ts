/** The door for devices: from an HTTP upgrade to a session, and from the socket's events to its frames. */
import { FRAME_EXCESS_BYTES, FRAME_TO_AGENT_BYTES, FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { encodeFrame } from '@longarm/contract/wire/codec';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { ServerWebSocket, WebSocketHandler } from 'bun';
import type { Entrant } from '../limits/admission.ts';
import type { Crowded, Strangers } from '../limits/strangers.ts';
import type { Connections } from './connections.ts';
import type { Session } from './session.ts';

/** Bun's own idle limit, seconds, at its largest: silence is judged by `closeSilent`, on our clock. */
const SOCKET_IDLE_SECONDS = 960;

/** What the runtime keeps with a socket. */
export type SocketData = {
  readonly remoteAddress: string | null;
  session: Session | null;
};

export type GatewayIo = {
  readonly connections: Connections;
  /** A device that connects is greeted when its turn has come; nothing is spent on it before. */
  readonly admit: (entrant: Entrant) => void;
  readonly strangers: Pick<Strangers, 'refusal' | 'enter' | 'gone'>;
  readonly onCrowded: (remoteAddress: string | null, crowded: Crowded) => void;
};

export type Gateway = {
  readonly path: string;
  readonly socketData: (remoteAddress: string | null) => SocketData;
  readonly websocket: WebSocketHandler<SocketData>;
};

type Socket = ServerWebSocket<SocketData>;

const sendAway = (socket: Socket, retryAfterSeconds: number, reason = 'too many devices connect at once') => {
  socket.send(encodeFrame({ type: 'goodbye', reason, retryAfterSeconds } satisfies FrameToAgent));
  socket.close();
};

const greet = ({ connections, strangers }: GatewayIo, socket: Socket) => {
  if (socket.readyState !== WebSocket.OPEN) return;
  strangers.enter(socket.data.remoteAddress);
  socket.data.session = connections.open(socket, socket.data.remoteAddress);
};

const onClose = ({ connections, strangers }: GatewayIo, { session }: SocketData) => {
  if (session === null) return;
  if (session.machineId === null) strangers.gone();
  connections.close(session);
};

const onOpen = (io: GatewayIo, socket: Socket) => {
  const { remoteAddress } = socket.data;
  // before it has taken a turn that somebody else could have
  const crowded = io.strangers.refusal(remoteAddress);
  if (crowded !== null) {
    io.onCrowded(remoteAddress, crowded);
    return sendAway(socket, crowded.retryAfterSeconds, crowded.sentence);
  }
  io.admit({ begin: () => greet(io, socket), sendAway: (seconds) => sendAway(socket, seconds) });
};

export const gateway = (io: GatewayIo): Gateway => ({
  path: AGENT_PATHS.connect,
  socketData: (remoteAddress) => ({ remoteAddress, session: null }),
  websocket: {
    idleTimeout: SOCKET_IDLE_SECONDS,
    // the decoder says what is too long by a little; the rest is not taken in at all
    maxPayloadLength: FRAME_TO_SERVER_BYTES + FRAME_EXCESS_BYTES,
    // what a device does not read is not kept for it without end
    backpressureLimit: 2 * FRAME_TO_AGENT_BYTES,
    closeOnBackpressureLimit: true,
    sendPings: false,
    open: (socket) => onOpen(io, socket),
    message: (socket, message) => {
      if (socket.data.session !== null) io.connections.receive(socket.data.session, message);
      // whoever speaks before it was greeted is no device of ours
      else socket.close();
    },
    close: (socket) => onClose(io, socket.data),
  },
});
