/**
 * Finds out that nobody takes a piece any more, within two heartbeats, and does not mistake a slow server for that:
 * the answer to the last piece may take long, since the server syncs the whole file before it says so. What is still
 * there answers a question on a connection of its own.
 */
import type { TransferIo } from './transfer-io.ts';

/** Looks, one heartbeat apart, over which a server may have all of a file and not yet say its hash. */
const FINISHING_LOOKS = 20;

export type PieceGuard = {
  readonly signal: AbortSignal;
  /** Some of the piece was taken. */
  readonly heard: () => void;
  readonly end: () => void;
};

export type GuardedPiece = {
  readonly startBytes: number;
  readonly endBytes: number;
  /** With it the server has the whole file. */
  readonly isLast: boolean;
  /** How far the server is; null when that is no reason to wait: no answer, a refusal, or it has all and its hash. */
  readonly ask: (signal: AbortSignal) => Promise<number | null>;
};

type GuardIo = Pick<TransferIo, 'after' | 'heartbeatMs'>;

const askInTime = async (io: GuardIo, piece: GuardedPiece, over: AbortSignal): Promise<number | null> => {
  const late = new AbortController();
  const callOff = io.after(io.heartbeatMs(), () => late.abort());
  try {
    return await piece.ask(AbortSignal.any([late.signal, over]));
  } catch {
    return null;
  } finally {
    callOff();
  }
};

/** Judges what the server says from look to look: true while it is worth waiting. */
const judge = (piece: GuardedPiece) => {
  let known = piece.startBytes;
  let finishing = 0;
  return (offset: number): boolean => {
    if (piece.isLast && offset === piece.endBytes) return finishing++ < FINISHING_LOOKS;
    const isMoving = offset > known;
    known = Math.max(known, offset);
    return isMoving;
  };
};

/** Guards one piece on its way. `signal` is aborted when it is to be given up. */
export const pieceGuard = (io: GuardIo, piece: GuardedPiece): PieceGuard => {
  const gone = new AbortController();
  const over = new AbortController();
  const isWorthWaiting = judge(piece);
  let signs = 0;
  let callOff = () => {};
  const look = async (): Promise<void> => {
    const before = signs;
    const offset = await askInTime(io, piece, over.signal);
    if (over.signal.aborted) return;
    const isThere = signs > before || (offset !== null && isWorthWaiting(offset));
    if (isThere) arm();
    else gone.abort(new Error('nobody took more of it for two heartbeats'));
  };
  const arm = () => {
    callOff();
    callOff = io.after(io.heartbeatMs(), () => void look());
  };
  arm();
  return {
    signal: gone.signal,
    heard: () => {
      signs++;
      arm();
    },
    end: () => {
      over.abort();
      callOff();
    },
  };
};
