/** What the command line does to the server's own certificate authority: told, replaced, one step after another. */
import { z } from 'zod';
import { MachineId, Sha256 } from '../ids.ts';
import { InstantText } from '../instant.ts';

export const AUTHORITY_STEPS = ['rotate', 'switch', 'switch-back', 'retire', 'abandon'] as const;
export type AuthorityStep = (typeof AUTHORITY_STEPS)[number];

const AuthoritySummary = z.object({
  /** Of its certificate's DER. */
  sha256: Sha256,
  notBefore: InstantText,
  notAfter: InstantText,
});

export const AuthorityDescription = z.object({
  current: AuthoritySummary,
  /** Null while no rotation goes on. */
  next: AuthoritySummary.nullable(),
  /** Which of them signed what the server shows. */
  signer: z.enum(['current', 'next']),
  /** Machines that there are, and how many of them do not know the next authority, or without one the current. */
  machines: z.int(),
  unaware: z.int(),
  /** At most 1,000 of those; who was seen last comes first. */
  unawareMachines: z.array(
    z.object({
      id: MachineId,
      computerDnsName: z.string(),
      lastSeen: InstantText,
      isOnline: z.boolean(),
      /** False for an agent that does not understand new authorities, or has not connected since it enrolled. */
      tells: z.boolean(),
    }),
  ),
  /** Good enrolment tokens that were made before the rotation, and so name the old authority alone. */
  olderEnrolTokens: z.int(),
});
export type AuthorityDescription = z.infer<typeof AuthorityDescription>;

export const AUTHORITY_OPERATIONS = {
  describeAuthority: { request: z.strictObject({}), answer: AuthorityDescription },
  changeAuthority: {
    request: z.strictObject({ step: z.enum(AUTHORITY_STEPS), evenIfDevicesAreLost: z.boolean() }),
    answer: AuthorityDescription,
  },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>;
