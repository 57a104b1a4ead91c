/** What the command line may do to a data folder, whoever holds it (semantics 29). */
import type { AdminAnswer, AdminOperation, AdminRequest } from '@longarm/contract/admin/operations';
import { ApplicationId, type Sha256, type TenantId } from '@longarm/contract/ids';
import { formatInstant, formatInstantOrNull } from '@longarm/contract/instant';
import { formatEnrolToken } from '@longarm/contract/wire/enrol-token';
import type { ActionStore } from '../actions/ports.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import type { AccessStore } from '../auth/ports.ts';

const ACTOR = 'local administrator';
const HOUR_MS = 3_600_000;
/** Random bytes of a client secret and of an enrolment token's secret. */
const SECRET_BYTES = 32;
const TOKEN_ID_BYTES = 9;

export type AdminIo = {
  readonly access: AccessStore;
  readonly actions: Pick<ActionStore, 'declareRestored'>;
  readonly tenant: TenantId;
  readonly now: () => number;
  readonly randomText: (bytes: number) => string;
  readonly newId: () => string;
  /** What enrolment tokens carry; null where the server has no TLS of its own. */
  readonly caSha256: Sha256 | null;
};

type Operations = { readonly [Name in AdminOperation]: (request: AdminRequest<Name>) => Promise<AdminAnswer<Name>> };

const applications = (
  io: AdminIo,
): Pick<Operations, 'createApplication' | 'listApplications' | 'deleteApplication'> => ({
  createApplication: async ({ name, roles }) => {
    const clientSecret = io.randomText(SECRET_BYTES);
    const clientId = ApplicationId.parse(io.newId());
    await io.access.addApplication(
      {
        id: clientId,
        tenantId: io.tenant,
        name,
        secretSha256: hashSecret(clientSecret),
        roles: [...new Set(roles)],
        createdAt: io.now(),
      },
      ACTOR,
    );
    return { tenantId: io.tenant, clientId, clientSecret };
  },
  listApplications: async () => ({
    applications: (await io.access.listApplications(io.tenant)).map((application) => ({
      tenantId: application.tenantId,
      clientId: application.id,
      name: application.name,
      roles: [...application.roles],
      createdDateTimeUtc: formatInstant(application.createdAt),
    })),
  }),
  deleteApplication: async ({ clientId }) => ({
    deleted: await io.access.removeApplication(clientId, ACTOR, io.now()),
  }),
});

const enrolTokens = (io: AdminIo): Pick<Operations, 'createEnrolToken' | 'listEnrolTokens' | 'revokeEnrolToken'> => ({
  createEnrolToken: async ({ tags, maxUses, validHours }) => {
    const id = io.randomText(TOKEN_ID_BYTES);
    const secret = io.randomText(SECRET_BYTES);
    const now = io.now();
    const expiresAt = validHours === null ? null : Math.ceil(now + validHours * HOUR_MS);
    const record = {
      id,
      tenantId: io.tenant,
      secretSha256: hashSecret(secret),
      tags,
      uses: 0,
      maxUses,
      expiresAt,
      revoked: false,
      createdAt: now,
    };
    await io.access.addEnrolToken(record, ACTOR);
    return { id, token: formatEnrolToken({ id, secret, caSha256: io.caSha256 }) };
  },
  listEnrolTokens: async () => ({
    tokens: (await io.access.listEnrolTokens(io.tenant)).map((token) => ({
      id: token.id,
      tenantId: token.tenantId,
      tags: [...token.tags],
      uses: token.uses,
      maxUses: token.maxUses,
      createdDateTimeUtc: formatInstant(token.createdAt),
      expiresDateTimeUtc: formatInstantOrNull(token.expiresAt),
      revoked: token.revoked,
    })),
  }),
  revokeEnrolToken: async ({ id }) => ({ revoked: await io.access.revokeEnrolToken(id, ACTOR, io.now()) }),
});

const restore = (io: AdminIo): Pick<Operations, 'declareRestored'> => ({
  declareRestored: async () => ({
    epoch: await io.actions.declareRestored({ tenantId: io.tenant, actor: ACTOR, now: io.now() }),
  }),
});

export const adminOperations = (io: AdminIo): Operations => ({
  ...applications(io),
  ...enrolTokens(io),
  ...restore(io),
});
export type AdminOperations = Operations;
