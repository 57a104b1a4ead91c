/** What the command line does to issuers: others whose tokens are good here as they are. */
import { z } from 'zod';
import { InstantText } from '../instant.ts';
import { PERSON_ROLES, ROLES } from '../permission.ts';

/** Claim value → what it is here. */
const Mapped = z.record(z.string().min(1).max(200), z.string().min(1).max(200));

export const IssuerSettings = z.object({
  /** Exactly as the claim `iss` has it. */
  url: z.url().max(500),
  /** Where its document is, when not below `url`. */
  discoveryUrl: z.url().max(500).nullable(),
  /** One of them is in `aud`. */
  audiences: z.array(z.string().min(1).max(500)).min(1).max(20),
  /** What `tid` has to be; null: it is not looked at. */
  tid: z.string().max(100).nullable(),
  /** Where roles and groups are, as `roles` or `realm_access.roles`. */
  roleClaim: z.string().min(1).max(200),
  groupClaim: z.string().min(1).max(200),
  /** Values that are no names of roles here. */
  roleMap: z.record(z.string().min(1).max(200), z.enum([...ROLES, ...PERSON_ROLES])),
  /** Empty: everybody reaches all machines. */
  groupMap: Mapped,
});
export type IssuerSettings = z.infer<typeof IssuerSettings>;

export const IssuerSummary = IssuerSettings.extend({ id: z.string(), createdDateTimeUtc: InstantText });
export type IssuerSummary = z.infer<typeof IssuerSummary>;

export const ISSUER_OPERATIONS = {
  addIssuer: { request: IssuerSettings.strict(), answer: z.object({ id: z.string() }) },
  listIssuers: { request: z.strictObject({}), answer: z.object({ issuers: z.array(IssuerSummary) }) },
  removeIssuer: { request: z.strictObject({ url: z.string() }), answer: z.object({ removed: z.boolean() }) },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>;
