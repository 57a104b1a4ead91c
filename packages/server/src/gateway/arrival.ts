/** What becomes of a device's socket from its opening to its end, whatever carries it. */
import { encodeFrame } from '@longarm/contract/wire/codec';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { Entrant } from '../limits/admission.ts';
import type { Crowded, Strangers } from '../limits/strangers.ts';
import type { Connections } from './connections.ts';
import type { Session, Wire } from './session.ts';

/** What is kept with a socket. */
export type SocketData = {
  readonly remoteAddress: string | null;
  session: Session | null;
};

/** A socket at the door for devices: the runtime's own fits, and one that another process holds. */
export type Carrier = Wire & { readonly data: SocketData; readonly readyState: number };

export type SocketEvents = {
  readonly open: (carrier: Carrier) => void;
  readonly message: (carrier: Carrier, message: string | Uint8Array) => void;
  /** Whoever carries it has answered a heartbeat, which costs what every frame costs. */
  readonly heard: (carrier: Carrier) => void;
  /** It is over, whoever ended it. */
  readonly close: (carrier: Carrier) => void;
};

export type ArrivalIo = {
  readonly connections: Connections;
  /** A device that connects is greeted when its turn has come; nothing is spent on it before. */
  readonly admit: (entrant: Entrant) => void;
  readonly strangers: Pick<Strangers, 'refusal' | 'enter' | 'gone'>;
  readonly onCrowded: (remoteAddress: string | null, crowded: Crowded) => void;
};

const sendAway = (carrier: Carrier, retryAfterSeconds: number, reason = 'too many devices connect at once') => {
  carrier.send(encodeFrame({ type: 'goodbye', reason, retryAfterSeconds } satisfies FrameToAgent));
  carrier.close();
};

const greet = ({ connections, strangers }: ArrivalIo, carrier: Carrier) => {
  if (carrier.readyState !== WebSocket.OPEN) return;
  strangers.enter(carrier.data.remoteAddress);
  carrier.data.session = connections.open(carrier, carrier.data.remoteAddress);
};

const onClose = ({ connections, strangers }: ArrivalIo, { session }: SocketData) => {
  if (session === null) return;
  if (session.machineId === null) strangers.gone();
  connections.close(session);
};

const onOpen = (io: ArrivalIo, carrier: Carrier) => {
  const { remoteAddress } = carrier.data;
  // before it has taken a turn that somebody else could have
  const crowded = io.strangers.refusal(remoteAddress);
  if (crowded !== null) {
    io.onCrowded(remoteAddress, crowded);
    return sendAway(carrier, crowded.retryAfterSeconds, crowded.sentence);
  }
  io.admit({ begin: () => greet(io, carrier), sendAway: (seconds) => sendAway(carrier, seconds) });
};

export const arrivals = (io: ArrivalIo): SocketEvents => ({
  open: (carrier) => onOpen(io, carrier),
  message: (carrier, message) => {
    if (carrier.data.session !== null) io.connections.receive(carrier.data.session, message);
    // whoever speaks before it was greeted is no device of ours
    else carrier.close();
  },
  heard: ({ data }) => {
    if (data.session !== null) io.connections.heard(data.session);
  },
  close: (carrier) => onClose(io, carrier.data),
});
