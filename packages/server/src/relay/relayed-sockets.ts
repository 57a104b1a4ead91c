/** The main process's side of a gateway: each of its sockets is an arrival like those of this process. */
import type { TrunkFrame } from './frame.ts';
import type { Trunk } from './trunk.ts';

/** Of the WebSocket API. */
const [OPEN, CLOSED] = [1, 3] as const;

/** What a socket is for the door that it is handed to; the same as of sockets of this process. */
export type RelayedCarrier<Data> = {
  readonly data: Data;
  readonly readyState: number;
  readonly send: (text: string) => void;
  readonly close: () => void;
  readonly terminate: () => void;
  readonly proven: () => void;
};

export type RelayedEvents<Data> = {
  readonly open: (carrier: RelayedCarrier<Data>) => void;
  readonly message: (carrier: RelayedCarrier<Data>, message: string | Uint8Array) => void;
  readonly heard: (carrier: RelayedCarrier<Data>) => void;
  readonly close: (carrier: RelayedCarrier<Data>) => void;
};

/** There are as many as devices: a class, so that each is three fields and no closure. */
class RelayedSocket<Data> implements RelayedCarrier<Data> {
  readonly data: Data;
  readonly #trunk: Trunk;
  readonly #socket: number;
  isOpen = true;

  constructor(trunk: Trunk, socket: number, data: Data) {
    this.data = data;
    this.#trunk = trunk;
    this.#socket = socket;
  }

  get readyState(): number {
    return this.isOpen ? OPEN : CLOSED;
  }

  send(text: string): void {
    if (this.isOpen) this.#trunk.send({ kind: 'text', socket: this.#socket, text });
  }

  close(): void {
    if (this.isOpen) this.#trunk.send({ kind: 'close', socket: this.#socket });
  }

  terminate(): void {
    if (this.isOpen) this.#trunk.send({ kind: 'terminate', socket: this.#socket });
  }

  proven(): void {
    if (this.isOpen) this.#trunk.send({ kind: 'proven', socket: this.#socket });
  }
}

export type RelayedSocketsIo<Data> = {
  readonly trunk: Trunk;
  readonly events: RelayedEvents<Data>;
  readonly socketData: (remoteAddress: string | null) => Data;
};

export type RelayedSockets = {
  /** Takes a frame about sockets. Gives a sentence for what a gateway never says. */
  readonly take: (frame: TrunkFrame) => string | null;
  readonly count: () => number;
  /** The gateway is gone, and its sockets with it. */
  readonly closeAll: () => void;
};

export const relayedSockets = <Data>(io: RelayedSocketsIo<Data>): RelayedSockets => {
  const { trunk, events } = io;
  const sockets = new Map<number, RelayedSocket<Data>>();
  const open = (socket: number, address: string): string | null => {
    if (sockets.has(socket)) return `expected a new socket, got ${socket} again`;
    const relayed = new RelayedSocket(trunk, socket, io.socketData(address === '' ? null : address));
    sockets.set(socket, relayed);
    events.open(relayed);
    return null;
  };
  const close = (socket: number, relayed: RelayedSocket<Data>) => {
    sockets.delete(socket);
    relayed.isOpen = false;
    events.close(relayed);
  };
  const heard = (numbers: readonly number[]) => {
    for (const number of numbers) {
      // it may have been closed since
      const relayed = sockets.get(number);
      if (relayed !== undefined) events.heard(relayed);
    }
  };
  return {
    count: () => sockets.size,
    take: (frame) => {
      const { kind, socket } = frame;
      if (kind === 'open') return open(socket, frame.text);
      if (kind === 'heard') {
        heard(frame.sockets);
        return null;
      }
      const relayed = sockets.get(socket);
      if (relayed === undefined) return `expected a socket that is open, got ${socket} with ${kind}`;
      if (kind === 'text') events.message(relayed, frame.text);
      else if (kind === 'binary') events.message(relayed, frame.bytes);
      else if (kind === 'close') close(socket, relayed);
      else return `expected a frame of a gateway, got ${kind}`;
      return null;
    },
    closeAll: () => {
      for (const [socket, relayed] of sockets) close(socket, relayed);
    },
  };
};
