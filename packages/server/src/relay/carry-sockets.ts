/**
 * The gateway's side of devices' sockets: it carries what they say to the main process and back, answers heartbeats of
 * those that are connected, and judges nothing. What it holds for anybody is bounded: by the runtime towards a device that
 * does not read, and by sending away whoever speaks while the main process does not take what it is sent.
 */
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { ServerWebSocket, WebSocketHandler } from 'bun';
import type { TrunkFrame } from './frame.ts';
import type { Trunk } from './trunk.ts';

/** The only text that is looked at here; any other way to write it goes to the main process. */
const HEARTBEAT = '{"type":"heartbeat"}';
/** So much may wait for the main process before devices are sent away instead. */
export const WAITING_BYTES = 16_777_216;
/** Who is sent away here comes back within this many seconds, at a moment of its own. */
const AWAY_SECONDS = 10;
const LONGEST_ADDRESS = 128;
const LAST_NUMBER = 0xffff_ffff;

export type CarriedData = {
  readonly remoteAddress: string | null;
  /** Of the socket on the trunk; 0 before it is open, and for one that was sent away at once. */
  socket: number;
  /** Heartbeats may be answered here. */
  isProven: boolean;
  /** One was, since the main process was told last: the next is the main process's to judge. */
  isHeard: boolean;
};

type CarriedSocket = ServerWebSocket<CarriedData>;

export type CarryIo = {
  readonly trunk: Trunk;
  readonly terms: Omit<WebSocketHandler<CarriedData>, 'open' | 'message' | 'close'>;
  /** False where one more connection is one too many for this process. */
  readonly hasPlace: () => boolean;
  readonly now: () => number;
  /** At least 0, less than 1. */
  readonly random: () => number;
};

export type CarriedSockets = {
  readonly websocket: WebSocketHandler<CarriedData>;
  readonly socketData: (remoteAddress: string | null) => CarriedData;
  /** Takes a frame of the main process about a socket. */
  readonly take: (frame: TrunkFrame) => void;
  /** Tells the main process who was heard; to be called again and again. */
  readonly tellHeard: () => void;
  readonly count: () => number;
};

const frameText = (frame: FrameToAgent): string => JSON.stringify(frame);

/** Says when to come again. */
const goodbye = ({ random }: CarryIo, socket: CarriedSocket, reason: string): void => {
  const retryAfterSeconds = Math.ceil(10 * AWAY_SECONDS * random()) / 10;
  socket.send(frameText({ type: 'goodbye', reason, retryAfterSeconds }));
};

/** Numbers that no socket has now. */
const freeNumbers = (sockets: ReadonlyMap<number, CarriedSocket>): (() => number) => {
  let last = 0;
  return () => {
    do last = last === LAST_NUMBER ? 1 : last + 1;
    while (sockets.has(last));
    return last;
  };
};

export const carrySockets = (io: CarryIo): CarriedSockets => {
  const { trunk } = io;
  const sockets = new Map<number, CarriedSocket>();
  let heard: number[] = [];
  const newNumber = freeNumbers(sockets);
  const sendAway = (socket: CarriedSocket, reason: string) => {
    goodbye(io, socket, reason);
    socket.close();
  };
  const isBusy = () => trunk.waitingBytes() > WAITING_BYTES;
  const open = (socket: CarriedSocket) => {
    if (!io.hasPlace()) {
      goodbye(io, socket, 'this gateway holds as many connections as it can: try another');
      // a place of its own is what there is not: nobody waits here until it has closed its side
      return socket.terminate();
    }
    if (isBusy()) return sendAway(socket, 'the server is busy');
    const number = newNumber();
    socket.data.socket = number;
    sockets.set(number, socket);
    trunk.send({ kind: 'open', socket: number, text: (socket.data.remoteAddress ?? '').slice(0, LONGEST_ADDRESS) });
  };
  /** True for a heartbeat that is answered here: one of a time, so that too many are judged where all is. */
  const answers = (socket: CarriedSocket, message: string | Buffer): boolean => {
    const { data } = socket;
    if (!data.isProven || data.isHeard || message !== HEARTBEAT) return false;
    data.isHeard = true;
    heard.push(data.socket);
    socket.send(frameText({ type: 'heartbeat', serverTime: io.now() }));
    return true;
  };
  const message = (socket: CarriedSocket, content: string | Buffer) => {
    const { socket: number } = socket.data;
    if (number === 0 || socket.readyState !== WebSocket.OPEN || answers(socket, content)) return;
    if (isBusy()) return sendAway(socket, 'the server is busy; what was not acknowledged is to be sent again');
    if (typeof content === 'string') trunk.send({ kind: 'text', socket: number, text: content });
    else trunk.send({ kind: 'binary', socket: number, bytes: content });
  };
  const close = ({ data }: CarriedSocket) => {
    if (!sockets.delete(data.socket)) return;
    trunk.send({ kind: 'close', socket: data.socket });
  };
  return {
    websocket: { ...io.terms, open, message, close },
    socketData: (remoteAddress) => ({ remoteAddress, socket: 0, isProven: false, isHeard: false }),
    count: () => sockets.size,
    take: (frame) => {
      // it may have been closed while the frame was on its way
      const socket = sockets.get(frame.socket);
      if (socket === undefined) return;
      if (frame.kind === 'text') socket.send(frame.text);
      else if (frame.kind === 'close') {
        socket.data.isProven = false;
        socket.close();
      } else if (frame.kind === 'terminate') socket.terminate();
      else if (frame.kind === 'proven') socket.data.isProven = true;
    },
    tellHeard: () => {
      if (heard.length === 0) return;
      trunk.send({ kind: 'heard', socket: 0, sockets: heard });
      for (const number of heard) {
        const socket = sockets.get(number);
        if (socket !== undefined) socket.data.isHeard = false;
      }
      heard = [];
    },
  };
};
