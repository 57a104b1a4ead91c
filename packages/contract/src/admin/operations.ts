/**
 * What the command line does to a data folder: through the local admin socket of the server that has the folder
 * open, or in its own process when none has (semantics 29). JSON over HTTP on a Unix socket of mode 0600.
 */
import { z } from 'zod';
import { ApplicationId, TenantId } from '../ids.ts';
import { InstantText } from '../instant.ts';
import { ROLES } from '../permission.ts';

/** File name of the socket in the data folder. */
export const ADMIN_SOCKET_NAME = 'admin.sock';

export const ApplicationSummary = z.object({
  tenantId: TenantId,
  clientId: ApplicationId,
  name: z.string(),
  roles: z.array(z.enum(ROLES)),
  createdDateTimeUtc: InstantText,
});
export type ApplicationSummary = z.infer<typeof ApplicationSummary>;

export const EnrolTokenSummary = z.object({
  id: z.string(),
  tenantId: TenantId,
  tags: z.array(z.string()),
  uses: z.int(),
  maxUses: z.int().nullable(),
  createdDateTimeUtc: InstantText,
  expiresDateTimeUtc: InstantText.nullable(),
  revoked: z.boolean(),
});
export type EnrolTokenSummary = z.infer<typeof EnrolTokenSummary>;

export const ADMIN_OPERATIONS = {
  createApplication: {
    request: z.strictObject({ name: z.string().min(1).max(200), roles: z.array(z.enum(ROLES)).min(1) }),
    answer: z.object({ tenantId: TenantId, clientId: ApplicationId, clientSecret: z.string() }),
  },
  listApplications: { request: z.strictObject({}), answer: z.object({ applications: z.array(ApplicationSummary) }) },
  deleteApplication: {
    request: z.strictObject({ clientId: ApplicationId }),
    answer: z.object({ deleted: z.boolean() }),
  },
  createEnrolToken: {
    request: z.strictObject({
      tags: z.array(z.string().min(1).max(200)).max(50),
      maxUses: z.int().positive().nullable(),
      validHours: z.number().positive().nullable(),
    }),
    answer: z.object({ id: z.string(), token: z.string() }),
  },
  listEnrolTokens: { request: z.strictObject({}), answer: z.object({ tokens: z.array(EnrolTokenSummary) }) },
  revokeEnrolToken: { request: z.strictObject({ id: z.string() }), answer: z.object({ revoked: z.boolean() }) },
  /** The folder was restored from a backup: envelopes are signed under a higher epoch from now on (semantics 30). */
  declareRestored: { request: z.strictObject({}), answer: z.object({ epoch: z.int() }) },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>;

export type AdminOperation = keyof typeof ADMIN_OPERATIONS;
export type AdminRequest<Name extends AdminOperation> = z.infer<(typeof ADMIN_OPERATIONS)[Name]['request']>;
export type AdminAnswer<Name extends AdminOperation> = z.infer<(typeof ADMIN_OPERATIONS)[Name]['answer']>;

/** How the command line calls an operation, whoever answers. Throws `Refusal` with a sentence. */
export type AdminDoor = {
  readonly call: <Name extends AdminOperation>(name: Name, request: AdminRequest<Name>) => Promise<AdminAnswer<Name>>;
  readonly close: () => Promise<void>;
};
