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
import {
  FRAME_TO_SERVER_BYTES,
  FRAMES_WAITING,
  type LimitName,
  REPORTS_TOGETHER,
  WAITING_CHARACTERS,
} from '@longarm/contract/limits';
import { decodeFrame, encodeFrame } from '@longarm/contract/wire/codec';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import { FrameToServer, type Report } from '@longarm/contract/wire/to-server';
import type { DeviceBudgets, Spent } from '../limits/device-budget.ts';

/** The socket, as far as a session needs it: the runtime's own fits, so that a connection costs no closures. */
export type Wire = {
  readonly send: (text: string) => unknown;
  readonly close: () => void;
  /** Without a word, and without waiting for the other side. */
  readonly terminate: () => void;
  /** The device is connected: whoever carries the socket for us may answer its heartbeats from now on. */
  readonly proven?: () => void;
};

export type SessionPhase = 'awaiting-proof' | 'proving' | 'connected' | 'closed';

/**
 * What a device did that it may not: no frame at all, one out of its turn, too many of them, a proof that does not hold,
 * more than a limit allows.
 */
export type RefusalCode = 'bad-frame' | 'bad-turn' | 'too-many-frames' | 'bad-proof' | LimitName;

/** Reports that are recorded together, and the characters of their frames. */
export type Together = { readonly reports: Report[]; characters: number };

/** What waits to be handled, one after another. */
type Line = {
  /** How many. */
  length: number;
  /** Of their frames. */
  characters: number;
  end: Promise<void>;
  /** Reports at the end which nobody has begun to record: the next one joins them. */
  together: Together | null;
};

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
  /** Of what it was told last about the server's authorities; null where it is told nothing. */
  trustSerial: number | null;
  /** It understands `renew-key`. */
  renewsKey: boolean;
  /** Of the `renew-key` that it has not answered yet. */
  keyNonce: string | null;
  lastHeardAt: EpochMs;
  /** What the device holds and has not ended, null for nothing: nothing is offered meanwhile. */
  holding: Set<ActionId> | null;
  /** A report that needs uploads first: later ones are dropped until it comes again. */
  stalledAt: number | null;
  /** What waits to be handled; null where nothing does. */
  line: Line | null;
};

/** What is said one by one. */
export type SingleFrame = Exclude<FrameToServer, Report>;

export type FrameHandlers = {
  /** `size`: characters of the frame's text. */
  readonly frame: (session: Session, frame: SingleFrame, size: number) => Promise<void>;
  /** Reports that came one after another while others were being recorded. */
  readonly reports: (session: Session, reports: readonly Report[]) => Promise<void>;
};

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
  // each member by its name: an object that begins with another one's members takes a third more
  framesUntil: 0,
  bytesUntil: 0,
  dayUntil: 0,
  onRefused: start.onRefused,
  id: start.id,
  nonce: start.nonce,
  remoteAddress: start.remoteAddress,
  wire: start.wire,
  phase: 'awaiting-proof',
  machineId: null,
  generation: null,
  trustSerial: null,
  renewsKey: false,
  keyNonce: null,
  lastHeardAt: start.now,
  holding: null,
  stalledAt: null,
  line: null,
});

/** Of `{"type":"heartbeat"}`. */
const HEARTBEAT_CHARACTERS = 20;

type ReceiveIo = {
  readonly handle: FrameHandlers;
  readonly now: () => EpochMs;
  readonly onFault: (session: Session, fault: unknown) => void;
  readonly budgets: Pick<DeviceBudgets, 'spend'>;
  /** Comes round once: what a device sent together is here. */
  readonly turn: () => Promise<void>;
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

const lineOf = (session: Session): Line => {
  session.line ??= { length: 0, characters: 0, end: Promise.resolve(), together: null };
  return session.line;
};

/** Does the work after all that waits. */
export const afterOthers = (
  session: Session,
  work: () => Promise<void> | undefined,
  onFault: (fault: unknown) => void,
): void => {
  const line = lineOf(session);
  line.length++;
  line.end = line.end
    .then(work)
    .catch(onFault)
    .finally(() => {
      line.length--;
      if (line.length === 0) session.line = null;
    });
};

const hasRoom = ({ line }: Session, size: number): boolean =>
  (line?.length ?? 0) < FRAMES_WAITING && (line?.characters ?? 0) + size <= WAITING_CHARACTERS;

/** False for a message that is not even decoded: its sender is sent away. */
const isWithinLimits = (io: ReceiveIo, session: Session, size: number): boolean => {
  const over = io.budgets.spend(session, size);
  if (over !== null) {
    refuse(session, { code: over.limit, reason: over.sentence }, over.retryAfterSeconds);
    return false;
  }
  if (hasRoom(session, size)) return true;
  refuse(session, { code: 'too-many-frames', reason: 'too many frames at once: wait for acknowledgements' });
  return false;
};

type Queued = {
  /** Resolves to the characters that wait with it, when it is begun. */
  readonly begin: () => Promise<number>;
  readonly handle: () => Promise<void>;
};

const enqueue = (io: ReceiveIo, session: Session, { begin, handle }: Queued) => {
  const work = async () => {
    const taken = await begin();
    try {
      if (session.phase !== 'closed') await handle();
    } finally {
      lineOf(session).characters -= taken;
    }
  };
  afterOthers(session, work, (fault) => {
    io.onFault(session, fault);
    dismiss(session, 'the server could not handle a frame; what was not acknowledged is to be sent again');
  });
};

/** Reports that come together, or while others are being recorded, are recorded together: one unit, one acknowledgement. */
const enqueueReport = (io: ReceiveIo, session: Session, report: { readonly frame: Report; readonly size: number }) => {
  const line = lineOf(session);
  line.characters += report.size;
  const last = line.together;
  if (last !== null && last.reports.length < REPORTS_TOGETHER) {
    last.reports.push(report.frame);
    last.characters += report.size;
    return;
  }
  const together = { reports: [report.frame], characters: report.size };
  line.together = together;
  enqueue(io, session, {
    begin: async () => {
      await io.turn();
      // they are begun: who comes now is among the next
      if (line.together === together) line.together = null;
      return together.characters;
    },
    handle: () => io.handle.reports(session, together.reports),
  });
};

const enqueueFrame = (
  io: ReceiveIo,
  session: Session,
  queued: { readonly frame: SingleFrame; readonly size: number },
) => {
  const { frame, size } = queued;
  const line = lineOf(session);
  line.characters += size;
  // a report that comes after it stays after it
  line.together = null;
  enqueue(io, session, { begin: async () => size, handle: () => io.handle.frame(session, frame, size) });
};

/** A heartbeat that whoever carries the socket has answered: it counts like one that was answered here. */
export const heard =
  (io: ReceiveIo) =>
  (session: Session): void => {
    if (session.phase === 'closed' || !isWithinLimits(io, session, HEARTBEAT_CHARACTERS)) return;
    session.lastHeardAt = io.now();
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
    const size = message.length;
    if (frame.type === 'report') enqueueReport(io, session, { frame, size });
    else enqueueFrame(io, session, { frame, size });
  };
