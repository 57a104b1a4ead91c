/** Whether an author whom this device lists has signed this use of this library file (semantics 32). */
import { createHash } from 'node:crypto';
import { splitArgs } from '@longarm/contract/args';
import { type Command, libraryFileOf } from '@longarm/contract/commands/index';
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { areArgumentsAllowed, describeArguments } from '@longarm/contract/signing/argument-pattern';
import type { AuthorKey } from '@longarm/contract/signing/author-key-line';
import {
  AUTHOR_SIGNATURE_TYPE,
  AuthorSignaturePayload,
  claimedBySignature,
} from '@longarm/contract/signing/author-signature';
import type { EnvelopeCommand } from '@longarm/contract/wire/envelope';
import { verifyJws } from '../identity/verify-jws.ts';
import type { Policy } from './policy.ts';

/**
 * How far server time may lead this device astray: a server that lies about the time cannot revive a signature for
 * longer, and a device whose own clock is wrong by hours still works (semantics 31).
 */
const CLOCK_TOLERANCE_MS = 86_400_000;

/** What the device knows by itself. */
export type Bearings = {
  /** From the device's own key, never from an envelope. */
  readonly machineId: MachineId;
  readonly serverNow: EpochMs;
  readonly localNow: EpochMs;
};

type Use = { readonly policy: Policy; readonly ordered: EnvelopeCommand; readonly bearings: Bearings };

const keyIdOf = ({ publicKey }: AuthorKey): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, 32);

const isHere = (claim: AuthorSignaturePayload, { policy, bearings }: Use): boolean =>
  claim.machines === 'any' ||
  claim.machines.ids.includes(bearings.machineId) ||
  claim.machines.tags.some((tag) => policy.tags.includes(tag)) ||
  claim.machines.groups.some((group) => policy.groups.includes(group));

const timeFault = ({ notBefore, expiresAt }: AuthorSignaturePayload, { serverNow, localNow }: Bearings) => {
  if (expiresAt !== null && (serverNow >= expiresAt || localNow >= expiresAt + CLOCK_TOLERANCE_MS))
    return 'it has expired';
  return serverNow < notBefore || localNow < notBefore - CLOCK_TOLERANCE_MS ? 'it does not count yet' : null;
};

const argumentsFault = ({ arguments: allowed }: AuthorSignaturePayload, command: Command): string | null => {
  if (command.type !== 'RunScript' || areArgumentsAllowed(allowed, splitArgs(command.args))) return null;
  return `it allows other arguments: ${describeArguments(allowed)}`;
};

/** Why a signature whose author is believed does not cover this use, or null. */
const claimFault = (claim: AuthorSignaturePayload, use: Use): string | null => {
  const { command, file } = use.ordered;
  // name before hash: the name decides which interpreter runs the bytes
  if (claim.fileName !== libraryFileOf(command)) return `it is for a file named ${JSON.stringify(claim.fileName)}`;
  if (claim.sha256 !== file?.sha256 || claim.sizeBytes !== file.sizeBytes) return 'it is for other bytes';
  if (!claim.uses.includes(command.type)) return `it is not for ${command.type}`;
  if (!isHere(claim, use)) return 'it is for other machines';
  return timeFault(claim, use.bearings) ?? argumentsFault(claim, command);
};

const signatureFault = (signature: string, use: Use): string | null => {
  const claimed = claimedBySignature(signature);
  if (claimed === null) return 'it cannot be read';
  const author = use.policy.authors.find((known) => keyIdOf(known) === claimed.authorKeyId);
  if (author === undefined) return 'its author is not listed here';
  const verified = verifyJws(signature, { publicKey: author.publicKey, type: AUTHOR_SIGNATURE_TYPE });
  if (!verified.ok) return `it was not made with the key of ${author.name}`;
  return claimFault(AuthorSignaturePayload.parse(verified.payload), use);
};

/** Why no author's signature covers this use, in a sentence, or null. */
export const authorFault = (use: Use): string | null => {
  const { signatures = [] } = use.ordered;
  if (signatures.length === 0) return 'expected a signature by a listed author, the file has none';
  const faults: string[] = [];
  for (const signature of signatures) {
    const fault = signatureFault(signature, use);
    if (fault === null) return null;
    faults.push(fault);
  }
  return `expected a signature by a listed author that covers this, got ${faults.length} that do not: ${faults.join('; ')}`;
};
