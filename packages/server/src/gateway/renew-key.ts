/**
 * A device's key is followed by another (semantics 25). The server asks, on the administrator's word or the device's own;
 * the device answers with a key that the one in force has certified over this connection's nonce; it holds once it is
 * in the row. Nothing is kept between connections: a device that heard no answer proves with both, and is told then.
 *
 *   ─key-wanted→ ┐
 *                ├ renew-key {nonce} → new-key → stored → key-kept {receipt}
 *   row: wanted  ┘
 */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { KEY_CLAIM_AHEAD_MS, KEY_CLAIM_MS, type KeyReceipt, keyClaimText } from '@longarm/contract/wire/device-key';
import type { FrameToServer } from '@longarm/contract/wire/to-server';
import { isSignedBy } from '../auth/device-proof.ts';
import { stateSentence } from '../machines/enrolment-state.ts';
import type { DeviceIdentity, KeyOutcome, MachineStore } from '../machines/ports.ts';
import { refuse, type Session, send } from './session.ts';

type NewKey = Extract<FrameToServer, { type: 'new-key' }>;

export type RenewKeyIo = {
  readonly machines: Pick<MachineStore, 'identity' | 'renewKey'>;
  readonly audience: string;
  /** Devices believe what this signs. */
  readonly signReceipt: (receipt: KeyReceipt) => string;
  readonly newNonce: () => string;
  readonly now: () => EpochMs;
  readonly onRenewed: (machineId: MachineId, number: number) => void;
};

/** Asks the device for another key; once until it has answered. False where it is not there, or understands none of it. */
export const askForKey = (session: Session | undefined, newNonce: () => string): boolean => {
  if (session?.phase !== 'connected' || !session.renewsKey) return false;
  if (session.keyNonce === null) {
    session.keyNonce = newNonce();
    send(session, { type: 'renew-key', nonce: session.keyNonce });
  }
  return true;
};

/** Tells the device which of its keys holds. */
export const tellKey = (
  io: Pick<RenewKeyIo, 'audience' | 'signReceipt'>,
  session: Session,
  key: { readonly machineId: MachineId; readonly publicKey: string; readonly number: number },
): void => send(session, { type: 'key-kept', receipt: io.signReceipt({ version: 1, audience: io.audience, ...key }) });

/** Why the claim is not to be believed, or null: it has to be by the key in force, by the new one, for here and now. */
const claimFault = (
  io: RenewKeyIo,
  frame: NewKey,
  of: { readonly machineId: MachineId; readonly identity: DeviceIdentity; readonly nonce: string },
): string | null => {
  const { machineId, identity, nonce } = of;
  const { number, publicKey, at, certification, proof } = frame;
  const age = io.now() - at;
  if (age > KEY_CLAIM_MS || age < -KEY_CLAIM_AHEAD_MS) return 'the claim of a new key is not of now';
  if (number !== identity.keyNumber + 1)
    return `expected key number ${identity.keyNumber + 1} of this machine, got ${number}`;
  if (publicKey === identity.publicKey) return 'expected another key, got the one in force';
  const claim = { audience: io.audience, machineId, number, formerKey: identity.publicKey, publicKey, nonce, at };
  const text = keyClaimText(claim);
  if (!isSignedBy(identity.publicKey, text, certification)) return 'the new key is not certified by the one in force';
  return isSignedBy(publicKey, text, proof) ? null : 'the new key is not proven to be held';
};

const SENTENCES: Readonly<Record<Exclude<KeyOutcome['kind'], 'renewed' | 'refused'>, string>> = {
  unknown: 'this machine is not enrolled here',
  changed: 'the key in force has changed meanwhile: connect anew',
};

const sentenceOf = (outcome: Exclude<KeyOutcome, { readonly kind: 'renewed' }>): string =>
  outcome.kind === 'refused'
    ? `this device ${stateSentence(outcome.state, null)}: its key stays what it is`
    : SENTENCES[outcome.kind];

export type RenewKey = {
  readonly wanted: (session: Session) => Promise<void>;
  readonly claimed: (session: Session, frame: NewKey) => Promise<void>;
};

export const renewKey = (io: RenewKeyIo): RenewKey => ({
  wanted: async (session) => {
    const { machineId } = session;
    if (machineId === null) return refuse(session, { code: 'bad-turn', reason: 'expected a proof before any key' });
    // who may not work keeps its key: two may hold it, and the first to change it would be the device
    if ((await io.machines.identity(machineId))?.state === 'Approved') askForKey(session, io.newNonce);
  },
  claimed: async (session, frame) => {
    const { machineId, keyNonce: nonce } = session;
    if (machineId === null || nonce === null)
      return refuse(session, { code: 'bad-turn', reason: 'expected to be asked before any new key' });
    session.keyNonce = null;
    const identity = await io.machines.identity(machineId);
    const fault = identity === null ? SENTENCES.unknown : claimFault(io, frame, { machineId, identity, nonce });
    if (identity === null || fault !== null)
      return refuse(session, { code: 'bad-proof', reason: fault ?? SENTENCES.unknown });
    const { publicKey, number } = frame;
    const from = { externalIp: session.remoteAddress, sessionId: session.id };
    const change = { machineId, formerKey: identity.publicKey, publicKey, number, ...from, now: io.now() };
    const outcome = await io.machines.renewKey(change);
    if (outcome.kind !== 'renewed') return refuse(session, { code: 'bad-proof', reason: sentenceOf(outcome) });
    tellKey(io, session, { machineId, publicKey, number });
    io.onRenewed(machineId, number);
  },
});
