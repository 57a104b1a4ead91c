/**
 * One device's connection, as a state machine. Frames are handled in order, one at a time, so that a report is
 * durable before the next one is looked at.
 *
 *   open ─hello→ awaiting proof ─prove→ proving ─welcome→ connected ─┐
 *                     └──────── rubbish, time-out, wrong proof ──────┴→ closed
 */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { decodeFrame, encodeFrame } from '@longarm/contract/wire/codec';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import { FrameToServer } from '@longarm/contract/wire/to-server';

/** Frames waiting to be handled; a device that sends faster than the disk writes is cut off and resends. */
const FRAMES_WAITING = 2_000;

/** The socket, as far as a session needs it. */
export type Wire = { readonly send: (text: string) => void; readonly close: () => void };

export type SessionPhase = 'awaiting-proof' | 'proving' | 'connected' | 'closed';

export type Session = {
  readonly id: string;
  readonly nonce: string;
  readonly remoteAddress: string | null;
  readonly wire: Wire;
  phase: SessionPhase;
  machineId: MachineId | null;
  lastHeardAt: EpochMs;
  /** What the device holds and has not ended: nothing is offered meanwhile. */
  readonly holding: Set<ActionId>;
  /** A report that needs uploads first: later ones are dropped until it comes again. */
  stalledAt: number | null;
  waiting: number;
  tail: Promise<void>;
};

export type FrameHandler = (session: Session, frame: FrameToServer) => Promise<void>;

export const send = (session: Session, frame: FrameToAgent): void => {
  if (session.phase !== 'closed') session.wire.send(encodeFrame(frame));
};

/** Says why, and closes. */
export const dismiss = (session: Session, reason: string, retryAfterSeconds = 1): void => {
  send(session, { type: 'goodbye', reason, retryAfterSeconds });
  session.wire.close();
};

export const newSession = (
  start: Pick<Session, 'id' | 'nonce' | 'remoteAddress' | 'wire'> & { readonly now: EpochMs },
): Session => ({
  id: start.id,
  nonce: start.nonce,
  remoteAddress: start.remoteAddress,
  wire: start.wire,
  phase: 'awaiting-proof',
  machineId: null,
  lastHeardAt: start.now,
  holding: new Set(),
  stalledAt: null,
  waiting: 0,
  tail: Promise.resolve(),
});

type ReceiveIo = {
  readonly handle: FrameHandler;
  readonly now: () => EpochMs;
  readonly onFault: (session: Session, fault: unknown) => void;
};

/** Takes one message off the wire: decoded strictly, then handled after those before it. */
export const receive =
  (io: ReceiveIo) =>
  (session: Session, message: string | Uint8Array): void => {
    session.lastHeardAt = io.now();
    const decoded = decodeFrame(FrameToServer, message, FRAME_TO_SERVER_BYTES);
    if (!decoded.ok) {
      dismiss(session, decoded.fault);
      return;
    }
    if (session.waiting >= FRAMES_WAITING) {
      dismiss(session, 'too many frames at once: wait for acknowledgements');
      return;
    }
    session.waiting++;
    session.tail = session.tail
      .then(() => (session.phase === 'closed' ? undefined : io.handle(session, decoded.value)))
      .catch((fault) => {
        io.onFault(session, fault);
        dismiss(session, 'the server could not handle a frame; what was not acknowledged is to be sent again');
      })
      .finally(() => {
        session.waiting--;
      });
  };
