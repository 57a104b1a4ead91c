/** The door for devices: from an HTTP upgrade to a socket of this process, and from its events to what they lead to. */
import { FRAME_EXCESS_BYTES, FRAME_TO_AGENT_BYTES, FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { AGENT_PATHS } from '@longarm/contract/wire/protocol';
import type { WebSocketHandler } from 'bun';
import { type ArrivalIo, arrivals, type SocketData, type SocketEvents } from './arrival.ts';

/** Bun's own idle limit, seconds, at its largest: silence is judged by `closeSilent`, on our clock. */
const SOCKET_IDLE_SECONDS = 960;

/** What a device's socket may cost, in whichever process it ends. */
export const SOCKET_TERMS = {
  idleTimeout: SOCKET_IDLE_SECONDS,
  // the decoder says what is too long by a little; the rest is not taken in at all
  maxPayloadLength: FRAME_TO_SERVER_BYTES + FRAME_EXCESS_BYTES,
  // what a device does not read is not kept for it without end
  backpressureLimit: 2 * FRAME_TO_AGENT_BYTES,
  closeOnBackpressureLimit: true,
  sendPings: false,
} as const;

export type Gateway = {
  readonly path: string;
  readonly socketData: (remoteAddress: string | null) => SocketData;
  readonly websocket: WebSocketHandler<SocketData>;
  /** The same for sockets that another process carries. */
  readonly events: SocketEvents;
};

export const gateway = (io: ArrivalIo): Gateway => {
  const events = arrivals(io);
  const { open, message, close } = events;
  return {
    path: AGENT_PATHS.connect,
    socketData: (remoteAddress) => ({ remoteAddress, session: null }),
    websocket: { ...SOCKET_TERMS, open, message, close: (socket) => close(socket) },
    events,
  };
};
