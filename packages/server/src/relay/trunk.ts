/** One end of the stream between main process and gateway process: frames out, batched; frames in; an end, once. */
import type { Socket } from 'bun';
import { encodeTrunkFrame, type TrunkFrame, trunkDecoder } from './frame.ts';

/** So much is put together for one write. */
const WRITE_BYTES = 262_144;

export type Trunk = {
  /** Never waits. Where more waits than may, the trunk ends; what is sent after its end is dropped. */
  readonly send: (frame: TrunkFrame) => void;
  /** What the other side has not taken yet. */
  readonly waitingBytes: () => number;
  /** Ends it at once, for this reason. */
  readonly cut: (reason: string) => void;
};

export type TrunkIo = {
  readonly onFrame: (frame: TrunkFrame) => void;
  /** It is over, said once. */
  readonly onEnd: (reason: string) => void;
  readonly maxWaitingBytes: number;
};

/** What the runtime's socket tells of itself. */
export type TrunkEnd = Trunk & {
  readonly data: (piece: Uint8Array) => void;
  readonly drain: () => void;
  readonly closed: () => void;
};

type Outlet = Pick<Socket, 'write' | 'terminate'>;

/** What waits to be written, in order. */
const outgoing = (outlet: Outlet) => {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let isFull = false;
  /** The pieces at the front, joined to about as much as one write takes. */
  const front = (): Uint8Array => {
    let [count, size] = [0, 0];
    while (count < waiting.length && size < WRITE_BYTES) size += waiting[count++]?.length ?? 0;
    if (count > 1) waiting.splice(0, count, Buffer.concat(waiting.slice(0, count)));
    return waiting[0] ?? new Uint8Array(0);
  };
  /** Until all is written, or the other side takes no more for now. */
  const write = () => {
    while (waiting.length > 0 && !isFull) {
      const piece = front();
      const taken = Math.max(0, outlet.write(piece));
      bytes -= taken;
      isFull = taken < piece.length;
      if (isFull) waiting[0] = piece.subarray(taken);
      else waiting.shift();
    }
  };
  return {
    bytes: () => bytes,
    add: (piece: Uint8Array) => {
      waiting.push(piece);
      bytes += piece.length;
    },
    write,
    /** There is room again. */
    drain: () => {
      isFull = false;
      write();
    },
    clear: () => {
      waiting = [];
      bytes = 0;
    },
  };
};

export const trunkEnd = (io: TrunkIo, outlet: Outlet): TrunkEnd => {
  const out = outgoing(outlet);
  let isOver = false;
  let isScheduled = false;
  const end = (reason: string) => {
    if (isOver) return;
    isOver = true;
    out.clear();
    io.onEnd(reason);
  };
  const cut = (reason: string) => {
    if (isOver) return;
    // the runtime tells of the close before it comes back from here
    end(reason);
    outlet.terminate();
  };
  const write = () => {
    isScheduled = false;
    if (!isOver) out.write();
  };
  const decode = trunkDecoder((frame) => {
    if (!isOver) io.onFrame(frame);
  });
  return {
    cut,
    waitingBytes: out.bytes,
    send: (frame) => {
      if (isOver) return;
      out.add(encodeTrunkFrame(frame));
      if (out.bytes() > io.maxWaitingBytes) return cut('the other side does not take what it is sent');
      if (isScheduled) return;
      isScheduled = true;
      // what one turn has to say goes out together
      queueMicrotask(write);
    },
    data: (piece) => {
      if (isOver) return;
      const fault = decode(piece);
      if (fault !== null) cut(fault);
    },
    drain: () => {
      if (!isOver) out.drain();
    },
    closed: () => end('the stream ended'),
  };
};
