/** What the command line may do to a data folder, whoever holds it (semantics 29). */
import type { Sha256 } from '@longarm/contract/ids';
import { formatInstant, formatInstantOrNull } from '@longarm/contract/instant';
import { formatEnrolToken } from '@longarm/contract/wire/enrol-token';
import type { Lockdown } from '../actions/lock-down.ts';
import type { ActionStore } from '../actions/ports.ts';
import type { AuditStore } from '../audit/ports.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import type { DecideEnrolment } from '../machines/decide-enrolment.ts';
import type { MachineStore } from '../machines/ports.ts';
import type { WantKey } from '../machines/want-key.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';
import { type ApplicationsIo, applicationCredentials, applications } from './applications.ts';
import { type AuthorityIo, authorityOperations } from './authority.ts';
import { deviceGroups, requireGroup } from './device-groups.ts';
import { enrolmentOperations } from './enrolment.ts';
import { type IssuersIo, issuers } from './issuers.ts';
import { lockdownOperations } from './lockdown.ts';
import { type PeopleIo, people } from './people.ts';

const HOUR_MS = 3_600_000;
/** Random bytes of an enrolment token's secret, and of its name. */
const SECRET_BYTES = 32;
const TOKEN_ID_BYTES = 9;

export type AdminIo = ApplicationsIo &
  PeopleIo &
  IssuersIo &
  AuthorityIo & {
    readonly audit: AuditStore;
    readonly lockdown: Lockdown;
    readonly decideEnrolment: DecideEnrolment;
    readonly wantKey: WantKey;
    readonly actions: Pick<ActionStore, 'declareRestored'>;
    readonly machines: Pick<MachineStore, 'resolve'>;
    /** What enrolment tokens carry; none where the system's trust is to do. */
    readonly authorities: () => readonly Sha256[];
    readonly restored: () => Promise<void>;
  };

const enrolTokens = (
  io: AdminIo,
): Pick<AdminOperations, 'createEnrolToken' | 'listEnrolTokens' | 'revokeEnrolToken'> => ({
  createEnrolToken: async ({ tags, group, maxUses, validHours, approval = false }) => {
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
      approval,
      createdAt: now,
    };
    await io.access.addEnrolToken(record, ACTOR);
    return { id, token: formatEnrolToken({ id, secret, authorities: io.authorities() }) };
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
      approval: token.approval,
    })),
  }),
  revokeEnrolToken: async ({ id }) => ({ revoked: await io.access.revokeEnrolToken(id, ACTOR, io.now()) }),
});

const restore = (io: AdminIo): Pick<AdminOperations, 'declareRestored'> => ({
  declareRestored: async () => {
    const epoch = await io.actions.declareRestored({ tenantId: io.tenant, actor: ACTOR, now: io.now() });
    await io.restored();
    return { epoch };
  },
});

export const adminOperations = (io: AdminIo): AdminOperations => ({
  ...applications(io),
  ...applicationCredentials(io),
  ...people(io),
  ...issuers(io),
  ...enrolTokens(io),
  ...deviceGroups(io),
  ...restore(io),
  describeServer: io.describeServer,
  ...lockdownOperations(io),
  ...enrolmentOperations(io),
  ...authorityOperations(io),
  readAudit: ({ after }) => io.audit.page(after),
});
