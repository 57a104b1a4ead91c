/**
 * An author's word on a library file (semantics 32): these bytes under this name may be used so, with such arguments, on
 * such machines, until then. A detached signature: a JWS in compact form (RFC 7515), `alg` EdDSA, `typ`
 * `longarm-author-signature+jws`, and this as its payload. The server stores and carries it; only devices judge it.
 */
import { z } from 'zod';
import { COMMAND_TYPES } from '../commands/types.ts';
import { MachineId, Sha256 } from '../ids.ts';
import { AllowedArguments } from './argument-pattern.ts';

export const AUTHOR_SIGNATURE_TYPE = 'longarm-author-signature+jws';
/** Characters of one signature, and signatures of one library file: an offer of many commands still fits its frame. */
export const AUTHOR_SIGNATURE_CHARACTERS = 4_096;
export const AUTHOR_SIGNATURES_PER_FILE = 4;

/** The first 128 bits of the SHA-256 of the raw public key, in hex. It finds a key and proves nothing. */
export const AuthorKeyId = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hex digits');

/** A tag or a group that a device holds in its own policy file. */
export const LocalName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u, 'expected a name of up to 64 letters');

/** `any`, or those of which one is the device's own. */
const AllowedMachines = z.union([
  z.literal('any'),
  z.strictObject({
    ids: z.array(MachineId).max(64),
    tags: z.array(LocalName).max(64),
    groups: z.array(LocalName).max(64),
  }),
]);
export type AllowedMachines = z.infer<typeof AllowedMachines>;

export const AuthorSignaturePayload = z.strictObject({
  version: z.literal(1),
  /** The name decides which interpreter runs the file, so it is signed too. */
  fileName: z.string(),
  sha256: Sha256,
  sizeBytes: z.int().min(0),
  /** Command types that the file may be used in. */
  uses: z.array(z.enum(COMMAND_TYPES)).min(1),
  arguments: AllowedArguments,
  machines: AllowedMachines,
  /** Milliseconds since 1970. */
  notBefore: z.int(),
  /** Null: until the author's key is no longer listed on the device. */
  expiresAt: z.int().nullable(),
  authorKeyId: AuthorKeyId,
});
export type AuthorSignaturePayload = z.infer<typeof AuthorSignaturePayload>;

export type CompactParts = {
  readonly header: string;
  readonly body: string;
  readonly signature: string;
};

/** JWS in compact form: three parts in base64url without padding. */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** The parts, or null when it is no such thing. Nothing is decoded or verified. */
export const compactParts = (compact: string): CompactParts | null => {
  const [, header, body, signature] = COMPACT.exec(compact) ?? [];
  return header === undefined || body === undefined || signature === undefined ? null : { header, body, signature };
};

/** The JSON that a part holds, or null. Bytes that are no UTF-8 are none. */
export const decodePart = (part: string): unknown => {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
};

/** What a signature claims, or null when it is none. It is NOT verified: that takes the author's key. */
export const claimedBySignature = (compact: string): AuthorSignaturePayload | null => {
  const parts = compact.length > AUTHOR_SIGNATURE_CHARACTERS ? null : compactParts(compact);
  return parts === null ? null : (AuthorSignaturePayload.safeParse(decodePart(parts.body)).data ?? null);
};

/** Signatures as they lie in a file or a form: one a line; empty lines do not count. */
export const signatureLines = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
