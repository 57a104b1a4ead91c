/** What the command line may do to a data folder, whoever holds it (semantics 29). */
import { ApplicationId, type Sha256, type TenantId } from '@longarm/contract/ids';
import { formatInstant, formatInstantOrNull } from '@longarm/contract/instant';
import { formatEnrolToken } from '@longarm/contract/wire/enrol-token';
import type { Lockdown } from '../actions/lock-down.ts';
import type { ActionStore } from '../actions/ports.ts';
import type { AuditStore } from '../audit/ports.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import type { AccessStore } from '../auth/ports.ts';
import type { GroupStore, MachineStore } from '../machines/ports.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';
import { deviceGroups, requireGroup } from './device-groups.ts';
import { lockdownOperations } from './lockdown.ts';

const HOUR_MS = 3_600_000;
/** Random bytes of a client secret and of an enrolment token's secret. */
const SECRET_BYTES = 32;
const TOKEN_ID_BYTES = 9;

export type AdminIo = {
  readonly access: AccessStore;
  readonly audit: AuditStore;
  readonly lockdown: Lockdown;
  readonly actions: Pick<ActionStore, 'declareRestored'>;
  readonly machines: Pick<MachineStore, 'resolve'>;
  readonly groups: GroupStore;
  readonly tenant: TenantId;
  readonly now: () => number;
  readonly randomText: (bytes: number) => string;
  readonly newId: () => string;
  /** What enrolment tokens carry; null where the server has no TLS of its own. */
  readonly caSha256: Sha256 | null;
  readonly describeServer: AdminOperations['describeServer'];
};

const applications = (
  io: AdminIo,
): Pick<AdminOperations, 'createApplication' | 'listApplications' | 'deleteApplication'> => ({
  createApplication: async ({ name, roles, deviceGroups: names }) => {
    const groups = await Promise.all((names ?? []).map((group) => requireGroup(io, group)));
    const clientSecret = io.randomText(SECRET_BYTES);
    const clientId = ApplicationId.parse(io.newId());
    await io.access.addApplication(
      {
        id: clientId,
        tenantId: io.tenant,
        name,
        secretSha256: hashSecret(clientSecret),
        roles: [...new Set(roles)],
        deviceGroups: names === undefined ? 'all' : [...new Set(groups.map((group) => group.name))],
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
      deviceGroups: application.deviceGroups === 'all' ? 'all' : [...application.deviceGroups],
      createdDateTimeUtc: formatInstant(application.createdAt),
    })),
  }),
  deleteApplication: async ({ clientId }) => ({
    deleted: await io.access.removeApplication(clientId, ACTOR, io.now()),
  }),
});

const enrolTokens = (
  io: AdminIo,
): Pick<AdminOperations, 'createEnrolToken' | 'listEnrolTokens' | 'revokeEnrolToken'> => ({
  createEnrolToken: async ({ tags, group, maxUses, validHours }) => {
    const id = io.randomText(TOKEN_ID_BYTES);
    const secret = io.randomText(SECRET_BYTES);
    const now = io.now();
    const expiresAt = validHours === null ? null : Math.ceil(now + validHours * HOUR_MS);
    const record = {
      id,
      tenantId: io.tenant,
      secretSha256: hashSecret(secret),
      tags,
      group: group === undefined ? null : await requireGroup(io, group),
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
      group: token.group?.name ?? null,
      uses: token.uses,
      maxUses: token.maxUses,
      createdDateTimeUtc: formatInstant(token.createdAt),
      expiresDateTimeUtc: formatInstantOrNull(token.expiresAt),
      revoked: token.revoked,
    })),
  }),
  revokeEnrolToken: async ({ id }) => ({ revoked: await io.access.revokeEnrolToken(id, ACTOR, io.now()) }),
});

const restore = (io: AdminIo): Pick<AdminOperations, 'declareRestored'> => ({
  declareRestored: async () => ({
    epoch: await io.actions.declareRestored({ tenantId: io.tenant, actor: ACTOR, now: io.now() }),
  }),
});

export const adminOperations = (io: AdminIo): AdminOperations => ({
  ...applications(io),
  ...enrolTokens(io),
  ...deviceGroups(io),
  ...restore(io),
  describeServer: io.describeServer,
  ...lockdownOperations(io),
  readAudit: ({ after }) => io.audit.page(after),
});
