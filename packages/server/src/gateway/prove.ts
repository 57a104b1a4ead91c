/** The handshake: a device proves its key against this connection's nonce, and both sides settle what is open. */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { REVOKED_RETRY_SECONDS } from '@longarm/contract/limits';
import { connectProofText, PROTOCOL_VERSION } from '@longarm/contract/wire/protocol';
import type { FrameToServer } from '@longarm/contract/wire/to-server';
import type { ActionStore, Hints, Reconciliation } from '../actions/ports.ts';
import type { Announce } from '../auth/certificates/trust-statement.ts';
import { isSignedBy } from '../auth/device-proof.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import type { Tickets } from '../auth/ticket.ts';
import type { DeviceBudgets } from '../limits/device-budget.ts';
import { isSentAway, stateSentence } from '../machines/enrolment-state.ts';
import type { ConnectOutcome, DeviceIdentity, MachineStore } from '../machines/ports.ts';
import { askForKey, type RenewKeyIo, tellKey } from './renew-key.ts';
import { dismiss, hold, refuse, type Session, send } from './session.ts';
import type { Sessions } from './sessions.ts';
import { trustSerialOf } from './tell-trust.ts';

/** Seconds that a device that cannot be let in stays away. */
const REFUSED_RETRY_SECONDS = 300;

type Refused = { readonly reason: string; readonly retryAfterSeconds: number };

type Prove = Extract<FrameToServer, { type: 'prove' }>;

export type ProveIo = Pick<RenewKeyIo, 'signReceipt' | 'newNonce'> & {
  readonly machines: Pick<MachineStore, 'identity' | 'connected' | 'disconnected'>;
  /** Somebody holds a key that the device had before its last: a copy of its state from then, or a backup of it. */
  readonly onFormerKey: (session: Session, machineId: MachineId) => void;
  /** A token that nobody can guess. */
  readonly newGeneration: () => string;
  /** The device showed a state that is older than the one it had, or that another one has as well. */
  readonly onOddState: (machineId: MachineId, outcome: ConnectOutcome) => void;
  readonly actions: Pick<ActionStore, 'reconcile'>;
  readonly sessions: Sessions;
  readonly tickets: Tickets;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged' | 'sessionEnded'>;
  readonly now: () => EpochMs;
  readonly audience: string;
  readonly heartbeatSeconds: number;
  /** What the server is trusted by, where that was ever announced. */
  readonly announce: Announce;
  readonly onConnected: (session: Session, machineId: MachineId) => void;
  readonly budgets: Pick<DeviceBudgets, 'enter'>;
  /** It is no stranger any more. */
  readonly onProven: (session: Session) => void;
};

const refused = (reason: string, retryAfterSeconds = REFUSED_RETRY_SECONDS): Refused => ({ reason, retryAfterSeconds });

/** Which key of the device its proof is by; null for a stranger's. */
const provenBy = (identity: DeviceIdentity, frame: Prove, text: string): 'key' | 'next' | 'former' | null => {
  const { publicKey, formerKey } = identity;
  if (isSignedBy(publicKey, text, frame.proof)) return 'key';
  // the device did not hear that its next key holds
  if (frame.nextProof !== undefined && isSignedBy(publicKey, text, frame.nextProof)) return 'next';
  return formerKey !== null && isSignedBy(formerKey, text, frame.proof) ? 'former' : null;
};

type Proven = { readonly machineId: MachineId; readonly identity: DeviceIdentity; readonly by: 'key' | 'next' };

const FORMER =
  'this key was followed by another: this state is older than the device, or a copy of it. Restore the newer one, or enrol anew';

const proven = async (io: ProveIo, session: Session, frame: Prove): Promise<Proven | Refused> => {
  if (frame.protocol !== PROTOCOL_VERSION)
    return refused(`protocol ${frame.protocol} is not spoken here, only ${PROTOCOL_VERSION}`);
  const identity = await io.machines.identity(frame.machineId);
  const { nonce } = session;
  // one proof for one nonce
  session.nonce = null;
  if (nonce === null) return refused('this connection had its proof already');
  const text = connectProofText({ nonce, machineId: frame.machineId, audience: io.audience });
  const by = identity === null ? null : provenBy(identity, frame, text);
  if (identity === null || by === null) return refused('this machine is not enrolled here, or its key is another one');
  const { mergedInto, state, stateReason, pinnedHardwareId } = identity;
  if (isSentAway(state)) return refused(`this device ${stateSentence(state, stateReason)}`, REVOKED_RETRY_SECONDS);
  if (pinnedHardwareId !== null && frame.hardwareId !== pinnedHardwareId)
    return refused('this is a copy of a device: its hardware is not the one that enrolled', REVOKED_RETRY_SECONDS);
  if (mergedInto !== null)
    return refused(`this machine was replaced by ${mergedInto}, which enrolled later from the same place`);
  if (by !== 'former') return { machineId: frame.machineId, identity, by };
  io.onFormerKey(session, frame.machineId);
  return refused(FORMER);
};

/** Which key holds, where the device has not heard; else, where another is wanted, the question for it. */
const settleKey = (io: ProveIo, session: Session, { identity, by, machineId }: Proven): void => {
  const { publicKey, keyNumber: number, isKeyWanted, state } = identity;
  if (by === 'next') tellKey(io, session, { machineId, publicKey, number });
  else if (isKeyWanted && state === 'Approved') askForKey(session, io.newNonce);
};

const LATE = 'this device has proven itself on a newer connection meanwhile';

type Entered = { readonly outcome: ConnectOutcome; readonly settled: Reconciliation };

/** Both are asked for in one turn, so that they are written together. */
const enterStore = async (io: ProveIo, session: Session, frame: Prove): Promise<Entered> => {
  const { machineId, facts, journaled, hardwareId = null, trusted = null } = frame;
  const handedOut = io.newGeneration();
  const shown = frame.generation === undefined ? null : hashSecret(frame.generation);
  const generation = { shown, handedOut: hashSecret(handedOut) };
  const now = io.now();
  const from = { hardwareId, externalIp: session.remoteAddress };
  const connection = { machineId, sessionId: session.id, facts, ...from, generation, trusted, now };
  const [outcome, settled] = await Promise.all([
    io.machines.connected(connection),
    io.actions.reconcile({ machineId, journaled, now }),
  ]);
  session.generation = handedOut;
  return { outcome, settled };
};

const settle = (io: ProveIo, session: Session, of: Entered & { readonly frame: Prove }) => {
  const { frame, settled, outcome } = of;
  const { machineId } = frame;
  if (session.phase !== 'proving') return;
  for (const actionId of frame.journaled) hold(session, actionId);
  session.phase = 'connected';
  session.renewsKey = frame.renewsKey === true;
  session.trustSerial = trustSerialOf(frame.trusted, io.announce());
  const generation = session.generation ?? undefined;
  const { heartbeatSeconds } = io;
  send(session, {
    type: 'welcome',
    serverTime: io.now(),
    heartbeatSeconds,
    ...(generation === undefined ? {} : { generation }),
  });
  // who may not work gets no ticket either
  for (const actionId of outcome.state === 'Approved' ? settled.resume : [])
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
    const result = await proven(io, session, frame);
    if ('reason' in result)
      return refuse(
        session,
        { code: 'bad-proof', reason: result.reason, about: frame.machineId },
        result.retryAfterSeconds,
      );
    if (!io.sessions.isNewest(session, frame.machineId)) return dismiss(session, LATE);
    session.machineId = frame.machineId;
    io.onProven(session);
    const over = io.budgets.enter(frame.machineId, session);
    io.sessions.enter(frame.machineId, session);
    if (over !== null) return refuse(session, { code: over.limit, reason: over.sentence }, over.retryAfterSeconds);
    const { outcome, settled } = await enterStore(io, session, frame);
    if (outcome.verdict !== 'usual') io.onOddState(frame.machineId, outcome);
    if (outcome.refusal !== null)
      return refuse(session, { code: 'bad-proof', reason: outcome.refusal }, REVOKED_RETRY_SECONDS);
    settle(io, session, { frame, settled, outcome });
    settleKey(io, session, result);
    io.onConnected(session, frame.machineId);
    if (settled.isAwaited) io.hints.wake(frame.machineId);
  };
