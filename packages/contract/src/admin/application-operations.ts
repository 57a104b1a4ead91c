/** What the command line does to applications: made, listed, given and relieved of secrets and certificates. */
import { z } from 'zod';
import { GRANTS } from '../application.ts';
import { ApplicationId, TenantId } from '../ids.ts';
import { InstantText } from '../instant.ts';
import { ROLES, SCOPES } from '../permission.ts';
import { GroupName } from './group-name.ts';

export const ApplicationSummary = z.object({
  tenantId: TenantId,
  clientId: ApplicationId,
  name: z.string(),
  roles: z.array(z.enum(ROLES)),
  deviceGroups: z.union([z.literal('all'), z.array(z.string())]),
  createdDateTimeUtc: InstantText,
  grants: z.array(z.enum(GRANTS)),
  scopes: z.array(z.enum(SCOPES)),
  /** It holds no secret of its own, and speaks for people alone. */
  isNative: z.boolean(),
  redirectUris: z.array(z.string()),
});
export type ApplicationSummary = z.infer<typeof ApplicationSummary>;

export const CREDENTIAL_KINDS = ['secret', 'certificate'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** A secret or certificate by which an application proves itself, without what is secret of it. */
export const CredentialSummary = z.object({
  id: z.string(),
  kind: z.enum(CREDENTIAL_KINDS),
  /** A certificate's subject; null for a secret. */
  subject: z.string().nullable(),
  createdDateTimeUtc: InstantText,
  expiresDateTimeUtc: InstantText.nullable(),
  /** To the minute; null: never. */
  lastUsedDateTimeUtc: InstantText.nullable(),
});
export type CredentialSummary = z.infer<typeof CredentialSummary>;

const Name = z.string().min(1).max(200);
const Limits = { deviceGroups: z.array(GroupName).min(1).max(200).optional() };
const Delegated = {
  grants: z.array(z.enum(GRANTS)).min(1).optional(),
  scopes: z.array(z.enum(SCOPES)).min(1).optional(),
  redirectUris: z.array(z.url()).max(50).optional(),
};

export const APPLICATION_OPERATIONS = {
  createApplication: {
    request: z.strictObject({ name: Name, roles: z.array(z.enum(ROLES)).min(1), ...Limits, ...Delegated }),
    answer: z.object({ tenantId: TenantId, clientId: ApplicationId, clientSecret: z.string() }),
  },
  /** An application on people's own devices, which cannot keep a secret. */
  createNativeApplication: {
    request: z.strictObject({ name: Name, ...Limits, ...Delegated }),
    answer: z.object({ tenantId: TenantId, clientId: ApplicationId }),
  },
  listApplications: { request: z.strictObject({}), answer: z.object({ applications: z.array(ApplicationSummary) }) },
  deleteApplication: {
    request: z.strictObject({ clientId: ApplicationId }),
    answer: z.object({ deleted: z.boolean() }),
  },
  addApplicationSecret: {
    request: z.strictObject({ clientId: ApplicationId, validDays: z.number().positive().max(3_650).nullable() }),
    answer: z.object({ id: z.string(), clientSecret: z.string(), expiresDateTimeUtc: InstantText.nullable() }),
  },
  addApplicationCertificate: {
    request: z.strictObject({ clientId: ApplicationId, pem: z.string().min(1).max(65_536) }),
    answer: z.object({ id: z.string(), subject: z.string(), expiresDateTimeUtc: InstantText }),
  },
  listApplicationCredentials: {
    request: z.strictObject({ clientId: ApplicationId }),
    answer: z.object({ credentials: z.array(CredentialSummary) }),
  },
  removeApplicationCredential: {
    request: z.strictObject({ clientId: ApplicationId, kind: z.enum(CREDENTIAL_KINDS), id: z.string() }),
    answer: z.object({ removed: z.boolean() }),
  },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>;
