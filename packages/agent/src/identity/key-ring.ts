/**
 * The device's key, and the one that is to follow it while that is on its way. In the state folder:
 *
 *   key.pem        the key in force
 *   key.next.pem   the next one, before anybody hears of it; proves with the other until the server has said which one holds
 *   key.receipt    the server's word that a later key than the first is this machine's
 *   key.wanted     somebody on this device wants another key
 *
 *   key.next.pem written → told → stored by the server → its receipt written → key.next.pem becomes key.pem
 *
 * A crash at any place leaves a device that proves with the one that the server has.
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { EpochMs } from '@longarm/contract/instant';
import { KEY_RECEIPT_TYPE, KeyReceipt, keyClaimText } from '@longarm/contract/wire/device-key';
import type { FrameToServer, Prove } from '@longarm/contract/wire/to-server';
import type { z } from 'zod';
import { moveInPlace, replaceFile } from '../platform/durable-file.ts';
import type { Identity } from './identity-file.ts';
import { type DeviceKeys, loadKeys } from './keys.ts';
import { verifyJws } from './verify-jws.ts';

export type KeyFiles = {
  readonly keys: string;
  readonly nextKey: string;
  readonly keyReceipt: string;
  readonly keyWanted: string;
};

type NewKey = Extract<FrameToServer, { type: 'new-key' }>;

export type KeyRing = {
  /** By the key in force. */
  readonly sign: (text: string) => string;
  /** Both signatures, while the next key is on its way. */
  readonly proofs: (text: string) => Pick<z.infer<typeof Prove>, 'proof' | 'nextProof'>;
  /** Somebody wants another key, or the one that is there is old, or the next one is on its way. */
  readonly isWanted: () => boolean;
  /** Has the next key on the disk, and certifies it. Throws when the disk refuses. */
  readonly claim: (nonce: string, at: EpochMs) => NewKey;
  /** The server's word that the next key holds: the other is forgotten. False for a word that is none. Throws when the disk refuses. */
  readonly take: (receipt: string) => boolean;
};

type Own = Pick<Identity, 'audience' | 'machineId' | 'envelopeKey'>;

type RingIo = {
  readonly files: KeyFiles;
  readonly identity: Own;
  /** Days after which another key is wanted; null: never by itself. */
  readonly keyDays: number | null;
  /** This device's clock. */
  readonly localNow: () => EpochMs;
};

const DAY_MS = 86_400_000;

const readReceipt = (text: string, identity: Own): KeyReceipt | null => {
  const verified = verifyJws(text.trim(), { publicKey: identity.envelopeKey, type: KEY_RECEIPT_TYPE });
  const { data } = KeyReceipt.safeParse(verified.ok ? verified.payload : null);
  return data?.audience === identity.audience && data.machineId === identity.machineId ? data : null;
};

const storedReceipt = ({ files, identity }: RingIo): KeyReceipt | null =>
  existsSync(files.keyReceipt) ? readReceipt(readFileSync(files.keyReceipt, 'utf8'), identity) : null;

const promote = ({ files }: RingIo): void => {
  moveInPlace(files.nextKey, files.keys);
  rmSync(files.keyWanted, { force: true });
};

/** The next key, where one is on its way. A crash may have come between its receipt and its name: then it gets that now. */
const readNext = (io: RingIo, receipt: KeyReceipt | null): DeviceKeys | null => {
  if (!existsSync(io.files.nextKey)) return null;
  const next = loadKeys(io.files.nextKey);
  if (receipt?.publicKey !== next.publicKey) return next;
  promote(io);
  return null;
};

/** Throws a sentence when the key is not this machine's: neither the first one, nor one that its server vouches for. */
const requireOwn = (io: RingIo, current: DeviceKeys, receipt: KeyReceipt | null): void => {
  const { machineId } = io.identity;
  if (current.machineId === machineId || receipt?.publicKey === current.publicKey) return;
  throw new Error(
    `${io.files.keys}: expected the key of machine ${machineId}, got another. Restore the file, or remove the state folder and enrol anew.`,
  );
};

/** How old the key in force is, by the time of its file; one from the future is as good as unknown, and due. */
const isOld = ({ files, keyDays, localNow }: RingIo): boolean => {
  if (keyDays === null) return false;
  const age = localNow() - statSync(files.keys).mtimeMs;
  return age >= keyDays * DAY_MS || age < -DAY_MS;
};

/** Throws a sentence for a key that is another machine's, or none. */
export const openKeyRing = (io: RingIo): KeyRing => {
  const { files, identity } = io;
  let receipt = storedReceipt(io);
  let next = readNext(io, receipt);
  let current = loadKeys(files.keys);
  requireOwn(io, current, receipt);
  return {
    sign: (text) => current.sign(text),
    proofs: (text) => ({ proof: current.sign(text), ...(next === null ? {} : { nextProof: next.sign(text) }) }),
    isWanted: () => next !== null || existsSync(files.keyWanted) || isOld(io),
    claim: (nonce, at) => {
      next ??= loadKeys(files.nextKey);
      const number = 1 + (receipt?.publicKey === current.publicKey ? receipt.number : 1);
      const { audience, machineId } = identity;
      const { publicKey } = next;
      const text = keyClaimText({ audience, machineId, number, formerKey: current.publicKey, publicKey, nonce, at });
      return { type: 'new-key', number, publicKey, at, certification: current.sign(text), proof: next.sign(text) };
    },
    take: (text) => {
      const word = readReceipt(text, identity);
      if (next === null || word?.publicKey !== next.publicKey) return false;
      replaceFile(files.keyReceipt, text);
      promote(io);
      receipt = word;
      current = next;
      next = null;
      return true;
    },
  };
};

/** Asks the agent that runs on this folder, or the next one, for another key. Throws when the disk refuses. */
export const wantKey = (files: Pick<KeyFiles, 'keyWanted'>): void => replaceFile(files.keyWanted, '');
