/**
 * What a device executes: one signed envelope (semantics 30). Signed once, at the first claim, and stored: every
 * later offer is the same bytes. On the wire it is a JWS in compact form (RFC 7515) with `alg` EdDSA and `typ`
 * `longarm-envelope+jws`; this is its payload.
 */
import { z } from 'zod';
import { Command } from '../commands/index.ts';
import { ActionId, MachineId, Sha256, TenantId } from '../ids.ts';
import { AUTHOR_SIGNATURE_CHARACTERS, AUTHOR_SIGNATURES_PER_FILE } from '../signing/author-signature.ts';

export const ENVELOPE_TYPE = 'longarm-envelope+jws';

export const EnvelopeCommand = z.strictObject({
  command: Command,
  /** The library file that the command names, as pinned when it was asked for. */
  file: z.strictObject({ sha256: Sha256, sizeBytes: z.int().min(0) }).nullable(),
  timeLimitSeconds: z.number().positive(),
  /** Author signatures of that file, pinned with it; absent where it has none, so that older agents read the rest. */
  signatures: z.array(z.string().max(AUTHOR_SIGNATURE_CHARACTERS)).max(AUTHOR_SIGNATURES_PER_FILE).optional(),
});
export type EnvelopeCommand = z.infer<typeof EnvelopeCommand>;

export const EnvelopePayload = z.strictObject({
  version: z.literal(1),
  actionId: ActionId,
  machineId: MachineId,
  tenantId: TenantId,
  commands: z.array(EnvelopeCommand).min(1),
  /** Most bytes of a collected file, and of each output of a script. */
  maxGetBytes: z.number().positive(),
  maxOutputBytes: z.number().positive(),
  /** A script that exits non-zero counts as Failed, and ends the sequence (`--stop-on-nonzero-exit`). */
  stopOnNonzeroExit: z.boolean(),
  /** Milliseconds since 1970, server time. */
  issuedAt: z.int(),
  expiresAt: z.int(),
  /** Strictly rising per device; a restored server raises its epoch, so that the pair never goes back. */
  epoch: z.int().min(0),
  counter: z.int().min(1),
});
export type EnvelopePayload = z.infer<typeof EnvelopePayload>;
