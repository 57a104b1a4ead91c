/**
 * One device's connection, as a state machine. There are as many of them as devices, and nearly all of them idle: what
 * only some need is made when they need it, and forgotten after. Frames are handled in order, one at a time, so that a report is
 * durable before the next one is looked at.
 *
 *   open ─hello→ awaiting proof ─prove→ proving ─welcome→ connected ─┐
 *                     └──────── rubbish, time-out, wrong proof ──────┴→ closed
 */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { FRAME_TO_SERVER_BYTES, FRAMES_WAITING, type LimitName, WAITING_CHARACTERS } from '@longarm/contract/limits';
import { decodeFrame, encodeFrame } from '@longarm/contract/wire/codec';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import { FrameToServer } from '@longarm/contract/wire/to-server';
import { type DeviceBudgets, nothingSpent, type Spent } from '../limits/device-budget.ts';

/** The socket, as far as a session needs it: the runtime's own fits, so that a connection costs no closures. */
export type Wire = {
  readonly send: (text: string) => unknown;
  readonly close: () => void;
  /** Without a word, and without waiting for the other side. */
  readonly terminate: () => void;
};

export type SessionPhase = 'awaiting-proof' | 'proving' | 'connected' | 'closed';

/**
 * What a device did that it may not: no frame at all, one out of its turn, too many of them, a proof that does not hold,
 * more than a limit allows.
 */
export type RefusalCode = 'bad-frame' | 'bad-turn' | 'too-many-frames' | 'bad-proof' | LimitName;

export type Session = Spent & {
  /** `about`: the machine that it claimed to be. */
  readonly onRefused: (session: Session, code: RefusalCode, about?: string) => void;
  readonly id: string;
  /** Until it was proven to. */
  nonce: string | null;
  readonly remoteAddress: string | null;
  readonly wire: Wire;
  phase: SessionPhase;
  machineId: MachineId | null;
  /** Handed out with this connection's welcome, until the device has said that it keeps it. */
  generation: string | null;
  lastHeardAt: EpochMs;
  /** What the device holds and has not ended, null for nothing: nothing is offered meanwhile. */
  holding: Set<ActionId> | null;
  /** A report that needs uploads first: later ones are dropped until it comes again. */
  stalledAt: number | null;
  waiting: number;
  waitingCharacters: number;
  /** The end of what waits to be handled; null where nothing does. */
  tail: Promise<void> | null;
};

/** `size`: characters of the frame's text. */
export type FrameHandler = (session: Session, frame: FrameToServer, size: number) => Promise<void>;

export const send = (session: Session, frame: FrameToAgent): void => {
  if (session.phase !== 'closed') session.wire.send(encodeFrame(frame));
};

/** Sends away what may not go on, and has it counted. */
export const refuse = (
  session: Session,
  refused: { readonly code: RefusalCode; readonly reason: string; readonly about?: string },
  retryAfterSeconds?: number,
): void => {
  const { code, reason, about } = refused;
  session.onRefused(session, code, about);
  dismiss(session, reason, retryAfterSeconds);
};

/** Says why, and closes. */
export const dismiss = (session: Session, reason: string, retryAfterSeconds = 1): void => {
  if (session.phase === 'closed') return;
  send(session, { type: 'goodbye', reason, retryAfterSeconds });
  // whoever does not close its side is not listened to any more
  session.phase = 'closed';
  session.wire.close();
};

export const newSession = (
  start: Pick<Session, 'id' | 'nonce' | 'remoteAddress' | 'wire' | 'onRefused'> & { readonly now: EpochMs },
): Session => ({
  ...nothingSpent(),
  onRefused: start.onRefused,
  id: start.id,
  nonce: start.nonce,
  remoteAddress: start.remoteAddress,
  wire: start.wire,
  phase: 'awaiting-proof',
  machineId: null,
  generation: null,
  lastHeardAt: start.now,
  holding: null,
  stalledAt: null,
  waiting: 0,
  waitingCharacters: 0,
  tail: null,
});

type ReceiveIo = {
  readonly handle: FrameHandler;
  readonly now: () => EpochMs;
  readonly onFault: (session: Session, fault: unknown) => void;
  readonly budgets: Pick<DeviceBudgets, 'spend'>;
};

/** Remembers that the device holds the action. */
export const hold = (session: Session, actionId: ActionId): void => {
  session.holding ??= new Set();
  session.holding.add(actionId);
};

export const release = (session: Session, actionId: ActionId): void => {
  session.holding?.delete(actionId);
  if (session.holding?.size === 0) session.holding = null;
};

/** Does the work after all that waits. */
export const afterOthers = (
  session: Session,
  work: () => Promise<void> | undefined,
  onFault: (fault: unknown) => void,
): void => {
  session.waiting++;
  session.tail = (session.tail ?? Promise.resolve())
    .then(work)
    .catch(onFault)
    .finally(() => {
      session.waiting--;
      if (session.waiting === 0) session.tail = null;
    });
};

/** False for a message that is not even decoded: its sender is sent away. */
const isWithinLimits = (io: ReceiveIo, session: Session, size: number): boolean => {
  const over = io.budgets.spend(session, size);
  if (over !== null) {
    refuse(session, { code: over.limit, reason: over.sentence }, over.retryAfterSeconds);
    return false;
  }
  if (session.waiting < FRAMES_WAITING && session.waitingCharacters + size <= WAITING_CHARACTERS) return true;
  refuse(session, { code: 'too-many-frames', reason: 'too many frames at once: wait for acknowledgements' });
  return false;
};

const enqueue = (io: ReceiveIo, session: Session, queued: { readonly frame: FrameToServer; readonly size: number }) => {
  session.waitingCharacters += queued.size;
  const handle = async () => {
    try {
      if (session.phase !== 'closed') await io.handle(session, queued.frame, queued.size);
    } finally {
      session.waitingCharacters -= queued.size;
    }
  };
  afterOthers(session, handle, (fault) => {
    io.onFault(session, fault);
    dismiss(session, 'the server could not handle a frame; what was not acknowledged is to be sent again');
  });
};

/** Takes one message off the wire: what it costs is spent, it is decoded strictly, then handled after those before it. */
export const receive =
  (io: ReceiveIo) =>
  (session: Session, message: string | Uint8Array): void => {
    if (session.phase === 'closed' || !isWithinLimits(io, session, message.length)) return;
    session.lastHeardAt = io.now();
    const decoded = decodeFrame(FrameToServer, message, FRAME_TO_SERVER_BYTES);
    if (!decoded.ok) {
      refuse(session, { code: 'bad-frame', reason: decoded.fault });
      return;
    }
    const frame = decoded.value;
    // most of what is ever said, and it waits for nothing
    if (frame.type === 'heartbeat' && session.phase === 'connected') {
      send(session, { type: 'heartbeat', serverTime: session.lastHeardAt });
      return;
    }
    enqueue(io, session, { frame, size: message.length });
  };
