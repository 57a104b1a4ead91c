/**
 * A device's key follows another under the machine id that came from the first one (semantics 25): the earlier key
 * certifies the later one, for this server, this machine, this connection and this moment. Keys are counted from 1.
 */
import { z } from 'zod';
import { MachineId } from '../ids.ts';
import { PublicKeyText } from './enrolment.ts';

/** How old a claim may be when it arrives, milliseconds of server time; and how far ahead of the server's clock. */
export const KEY_CLAIM_MS = 60_000;
export const KEY_CLAIM_AHEAD_MS = 10_000;

export type KeyClaim = {
  readonly audience: string;
  readonly machineId: string;
  /** Of the new key: one more than that of the earlier one. */
  readonly number: number;
  /** Raw, base64url: the one that certifies, and the one that is to follow it. */
  readonly formerKey: string;
  readonly publicKey: string;
  /** Of `renew-key`: good once, on one connection. */
  readonly nonce: string;
  /** Server time as the device knows it, milliseconds since 1970. */
  readonly at: number;
};

/** What both keys sign: UTF-8 of these lines, joined by a line feed. None of them can hold one. */
export const keyClaimText = (claim: KeyClaim): string =>
  [
    'longarm-key-v1',
    claim.audience,
    claim.machineId,
    String(claim.number),
    claim.formerKey,
    claim.publicKey,
    claim.nonce,
    String(claim.at),
  ].join('\n');

/** `typ` of the server's word that a key is in force: a JWS in compact form, by its envelope key. */
export const KEY_RECEIPT_TYPE = 'longarm-key-receipt+jws';
export const KEY_RECEIPT_CHARACTERS = 2_048;

/** Signed, so that nobody on the way makes a device forget a key that its server goes by. */
export const KeyReceipt = z.strictObject({
  version: z.literal(1),
  audience: z.string().max(128),
  machineId: MachineId,
  publicKey: PublicKeyText,
  number: z.int().min(2),
});
export type KeyReceipt = z.infer<typeof KeyReceipt>;
