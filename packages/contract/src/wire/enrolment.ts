/** Bodies of `POST /agent/v1/enrol`. */
import { z } from 'zod';
import { MachineId, Sha256, TenantId } from '../ids.ts';
import { DeviceFacts } from './facts.ts';

/** An Ed25519 public key, raw 32 bytes, base64url without padding. */
export const PublicKeyText = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected 32 bytes in base64url');

export const EnrolRequest = z.strictObject({
  /** The whole enrolment token. */
  token: z.string().max(512),
  publicKey: PublicKeyText,
  /** SHA-256 over the machine's own identity and the state folder's path: the same agent at the same place. */
  hardwareId: Sha256,
  /** Ed25519 over `enrolProofText`, base64url. */
  proof: z.string().max(128),
  facts: DeviceFacts,
});
export type EnrolRequest = z.infer<typeof EnrolRequest>;

export const EnrolAnswer = z.object({
  machineId: MachineId,
  tenantId: TenantId,
  /** Who the device proves itself to: stays when the server's address changes. */
  audience: z.string().max(128),
  /** Verifies envelopes: what the device executes is signed with this key. */
  envelopeKey: PublicKeyText,
});
export type EnrolAnswer = z.infer<typeof EnrolAnswer>;
