/** The handshake: a device proves its key against this connection's nonce, and both sides settle what is open. */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { REVOKED_RETRY_SECONDS } from '@longarm/contract/limits';
import { connectProofText, PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import type { FrameToServer } from '@longarm/contract/wire/to-server';
import type { ActionStore, Hints, Reconciliation } from '../actions/ports.ts';
import { isSignedBy } from '../auth/device-proof.ts';
import type { Tickets } from '../auth/ticket.ts';
import type { DeviceBudgets } from '../limits/device-budget.ts';
import { isSentAway, stateSentence } from '../machines/enrolment-state.ts';
import type { MachineStore } from '../machines/ports.ts';
import { hold, refuse, type Session, send } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Seconds that a device that cannot be let in stays away. */
const REFUSED_RETRY_SECONDS = 300;

type Refused = { readonly reason: string; readonly retryAfterSeconds: number };

type Prove = Extract<FrameToServer, { type: 'prove' }>;

export type ProveIo = {
  readonly machines: Pick<MachineStore, 'identity' | 'connected' | 'disconnected'>;
  readonly actions: Pick<ActionStore, 'reconcile'>;
  readonly sessions: Sessions;
  readonly tickets: Tickets;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged' | 'sessionEnded'>;
  readonly now: () => EpochMs;
  readonly audience: string;
  readonly heartbeatSeconds: number;
  readonly onConnected: (session: Session, machineId: MachineId) => void;
  readonly budgets: Pick<DeviceBudgets, 'enter'>;
  /** It is no stranger any more. */
  readonly onProven: (session: Session) => void;
};

const refused = (reason: string, retryAfterSeconds = REFUSED_RETRY_SECONDS): Refused => ({ reason, retryAfterSeconds });

const refusalOf = async (io: ProveIo, session: Session, frame: Prove): Promise<Refused | null> => {
  if (frame.protocol !== PROTOCOL_VERSION)
    return refused(`protocol ${frame.protocol} is not spoken here, only ${PROTOCOL_VERSION}`);
  const identity = await io.machines.identity(frame.machineId);
  const { nonce } = session;
  // one proof for one nonce
  session.nonce = null;
  if (nonce === null) return refused('this connection had its proof already');
  const text = connectProofText({ nonce, machineId: frame.machineId, audience: io.audience });
  if (identity === null || !isSignedBy(identity.publicKey, text, frame.proof)) {
    return refused('this machine is not enrolled here, or its key is another one');
  }
  const { mergedInto, state, stateReason } = identity;
  if (isSentAway(state)) return refused(`this device ${stateSentence(state, stateReason)}`, REVOKED_RETRY_SECONDS);
  return mergedInto === null
    ? null
    : refused(`this machine was replaced by ${mergedInto}, which enrolled later from the same place`);
};

/** Both are asked for in one turn, so that they are written together. */
const enterStore = async (io: ProveIo, session: Session, frame: Prove): Promise<Reconciliation> => {
  const { machineId, facts, journaled } = frame;
  const now = io.now();
  const connection = { machineId, sessionId: session.id, facts, externalIp: session.remoteAddress, now };
  const [, settled] = await Promise.all([
    io.machines.connected(connection),
    io.actions.reconcile({ machineId, journaled, now }),
  ]);
  return settled;
};

const settle = (io: ProveIo, session: Session, of: { readonly frame: Prove; readonly settled: Reconciliation }) => {
  const { frame, settled } = of;
  const { machineId } = frame;
  if (session.phase !== 'proving') return;
  for (const actionId of frame.journaled) hold(session, actionId);
  session.phase = 'connected';
  send(session, { type: 'welcome', serverTime: io.now(), heartbeatSeconds: io.heartbeatSeconds });
  for (const actionId of settled.resume)
    send(session, { type: 'resume', actionId, ticket: io.tickets.issue(machineId, actionId) });
  for (const stop of settled.stop)
    send(session, { type: 'cancel', ...stop, ticket: io.tickets.issue(machineId, stop.actionId) });
  for (const actionId of settled.changed) io.hints.actionChanged(actionId);
  if (settled.changed.length > 0) io.hints.sessionEnded();
};

export const prove =
  (io: ProveIo) =>
  async (session: Session, frame: Prove): Promise<void> => {
    session.phase = 'proving';
    const refusal = await refusalOf(io, session, frame);
    if (refusal !== null)
      return refuse(
        session,
        { code: 'bad-proof', reason: refusal.reason, about: frame.machineId },
        refusal.retryAfterSeconds,
      );
    session.machineId = frame.machineId;
    io.onProven(session);
    const over = io.budgets.enter(frame.machineId, session);
    io.sessions.enter(frame.machineId, session);
    if (over !== null) return refuse(session, { code: over.limit, reason: over.sentence }, over.retryAfterSeconds);
    const settled = await enterStore(io, session, frame);
    settle(io, session, { frame, settled });
    io.onConnected(session, frame.machineId);
    if (settled.isAwaited) io.hints.wake(frame.machineId);
  };
