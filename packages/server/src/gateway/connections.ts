/** What becomes of a connection, whatever carries it: a session from its opening to its end. */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import type { DeviceBudgets } from '../limits/device-budget.ts';
import {
  afterOthers,
  type FrameHandlers,
  heard,
  newSession,
  receive,
  type Session,
  send,
  type Wire,
} from './session.ts';
import type { Sessions } from './sessions.ts';

export type ConnectionIo = {
  readonly sessions: Sessions;
  readonly handle: FrameHandlers;
  readonly now: () => EpochMs;
  readonly newId: () => string;
  readonly newNonce: () => string;
  /** The machine is no longer connected by this session. */
  readonly onGone: (machineId: MachineId, sessionId: string) => Promise<void>;
  readonly onFault: (session: Session, fault: unknown) => void;
  readonly onRefused: Session['onRefused'];
  readonly budgets: Pick<DeviceBudgets, 'spend' | 'leave'>;
  readonly turn: () => Promise<void>;
};

export type Connections = {
  /** A connection is there: it is tracked, and greeted. */
  readonly open: (wire: Wire, remoteAddress: string | null) => Session;
  readonly receive: (session: Session, message: string | Uint8Array) => void;
  /** A heartbeat came, and was answered by whoever carries the socket. */
  readonly heard: (session: Session) => void;
  /** The connection is over, whoever ended it. */
  readonly close: (session: Session) => void;
};

const open = (io: ConnectionIo, wire: Wire, remoteAddress: string | null): Session => {
  const nonce = io.newNonce();
  const { onRefused } = io;
  const session = newSession({ id: io.newId(), nonce, remoteAddress, wire, onRefused, now: io.now() });
  io.sessions.track(session);
  send(session, { type: 'hello', protocol: PROTOCOL_VERSION, nonce, serverTime: io.now() });
  return session;
};

const close = (io: ConnectionIo, session: Session): void => {
  session.phase = 'closed';
  const wasConnected = io.sessions.leave(session);
  if (!wasConnected || session.machineId === null) return;
  // after what it sent last has been handled
  const { machineId, id } = session;
  io.budgets.leave(machineId, session);
  afterOthers(
    session,
    () => io.onGone(machineId, id),
    (fault) => io.onFault(session, fault),
  );
};

export const connections = (io: ConnectionIo): Connections => ({
  open: (wire, remoteAddress) => open(io, wire, remoteAddress),
  receive: receive(io),
  heard: heard(io),
  close: (session) => close(io, session),
});
