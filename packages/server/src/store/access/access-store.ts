/** Tenants, applications, enrolment tokens and kept settings in the store. */
import type { Grant } from '@longarm/contract/application';
import { type ApplicationId, TenantId } from '@longarm/contract/ids';
import type { Role, Scope } from '@longarm/contract/permission';
import type { Kysely, Selectable } from 'kysely';
import type { DeviceGroups } from '../../audit/reach.ts';
import type { AccessStore, ApplicationRecord, EnrolTokenRecord, SecretRecord } from '../../auth/ports.ts';
import { firstOf, prepared } from '../prepared.ts';
import type { ApplicationRow, EnrolTokenRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';
import { insertSecret } from './credential-store.ts';

const applicationById = prepared((db, given: { readonly id: ApplicationId }) =>
  db.selectFrom('applications').selectAll().where('id', '=', given.id),
);

const applicationRecord = (row: Selectable<ApplicationRow>): ApplicationRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  name: row.name,
  // written by this store from parsed names
  roles: JSON.parse(row.roles) as Role[],
  grants: JSON.parse(row.grants) as Grant[],
  scopes: JSON.parse(row.scopes) as Scope[],
  redirectUris: JSON.parse(row.redirect_uris) as string[],
  isNative: row.is_native === 1,
  deviceGroups: row.device_groups === null ? 'all' : (JSON.parse(row.device_groups) as DeviceGroups),
  createdAt: row.created_at,
});

const enrolTokenRecord = (row: Selectable<EnrolTokenRow> & { group_name: string | null }): EnrolTokenRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  secretSha256: row.secret_sha256,
  tags: JSON.parse(row.tags) as string[],
  group: row.group_id === null ? null : { id: row.group_id, name: row.group_name ?? '' },
  uses: row.uses,
  maxUses: row.max_uses,
  expiresAt: row.expires_at,
  revoked: row.revoked === 1,
  approval: row.approval === 1,
  createdAt: row.created_at,
});

const oldestTenant = prepared((db) => db.selectFrom('tenants').select('id').orderBy('created_at').limit(1));

const ensureDefaultTenant = async (db: Kysely<Schema>, now: number): Promise<TenantId> => {
  const known = await firstOf(oldestTenant(db, {}));
  if (known !== undefined) return known.id;
  const id = TenantId.parse(crypto.randomUUID());
  await db.insertInto('tenants').values({ id, name: 'default', created_at: now }).execute();
  await writeAudit(db, { tenantId: id, at: now, actor: 'server', event: 'tenant.added', subject: id });
  return id;
};

const addApplication = async (
  db: Kysely<Schema>,
  { application, secret }: { readonly application: ApplicationRecord; readonly secret: SecretRecord | null },
  actor: string,
) => {
  await db
    .insertInto('applications')
    .values({
      id: application.id,
      tenant_id: application.tenantId,
      name: application.name,
      secret_sha256: '',
      roles: JSON.stringify(application.roles),
      created_at: application.createdAt,
      device_groups: application.deviceGroups === 'all' ? null : JSON.stringify(application.deviceGroups),
      grants: JSON.stringify(application.grants),
      scopes: JSON.stringify(application.scopes),
      redirect_uris: JSON.stringify(application.redirectUris),
      is_native: application.isNative ? 1 : 0,
    })
    .execute();
  if (secret !== null) await insertSecret(db, secret);
  await writeAudit(db, {
    tenantId: application.tenantId,
    at: application.createdAt,
    actor,
    event: 'application.added',
    subject: application.id,
    detail: {
      name: application.name,
      roles: application.roles,
      deviceGroups: application.deviceGroups,
      grants: application.grants,
    },
  });
};

const removeApplication = async (
  db: Kysely<Schema>,
  id: ApplicationRow['id'],
  by: { readonly actor: string; readonly now: number },
) => {
  const known = await db
    .selectFrom('applications')
    .select(['tenant_id', 'name'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (known === undefined) return false;
  await db.deleteFrom('applications').where('id', '=', id).execute();
  await writeAudit(db, {
    tenantId: known.tenant_id,
    at: by.now,
    actor: by.actor,
    event: 'application.deleted',
    subject: id,
    detail: { name: known.name },
  });
  return true;
};

const addEnrolToken = async (db: Kysely<Schema>, token: EnrolTokenRecord, actor: string) => {
  await db
    .insertInto('enrol_tokens')
    .values({
      id: token.id,
      tenant_id: token.tenantId,
      secret_sha256: token.secretSha256,
      tags: JSON.stringify(token.tags),
      uses: token.uses,
      max_uses: token.maxUses,
      expires_at: token.expiresAt,
      revoked: 0,
      created_at: token.createdAt,
      group_id: token.group?.id ?? null,
      approval: token.approval ? 1 : 0,
    })
    .execute();
  await writeAudit(db, {
    tenantId: token.tenantId,
    at: token.createdAt,
    actor,
    event: 'enrol-token.added',
    subject: token.id,
    detail: { tags: token.tags, group: token.group?.name ?? null },
  });
};

const revokeEnrolToken = async (
  db: Kysely<Schema>,
  id: string,
  by: { readonly actor: string; readonly now: number },
) => {
  const known = await db
    .selectFrom('enrol_tokens')
    .select('tenant_id')
    .where('id', '=', id)
    .where('revoked', '=', 0)
    .executeTakeFirst();
  if (known === undefined) return false;
  await db.updateTable('enrol_tokens').set({ revoked: 1 }).where('id', '=', id).execute();
  await writeAudit(db, {
    tenantId: known.tenant_id,
    at: by.now,
    actor: by.actor,
    event: 'enrol-token.revoked',
    subject: id,
  });
  return true;
};

export const accessStore = (
  units: UnitQueue<Schema>,
  reader: Kysely<Schema>,
  clock: { readonly now: () => number },
): AccessStore => ({
  defaultTenant: () => units.run((db) => ensureDefaultTenant(db, clock.now())),
  findApplication: async (id) => {
    const row = await firstOf(applicationById(reader, { id }));
    return row === undefined ? null : applicationRecord(row);
  },
  addApplication: (application, secret, actor) => units.run((db) => addApplication(db, { application, secret }, actor)),
  listApplications: async (tenantId) => {
    const rows = await reader
      .selectFrom('applications')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .orderBy('created_at')
      .execute();
    return rows.map(applicationRecord);
  },
  removeApplication: (id, actor, now) => units.run((db) => removeApplication(db, id, { actor, now })),
  addEnrolToken: (token, actor) => units.run((db) => addEnrolToken(db, token, actor)),
  listEnrolTokens: async (tenantId) => {
    const rows = await reader
      .selectFrom('enrol_tokens')
      .leftJoin('device_groups', 'device_groups.id', 'enrol_tokens.group_id')
      .selectAll('enrol_tokens')
      .select('device_groups.name as group_name')
      .where('enrol_tokens.tenant_id', '=', tenantId)
      .orderBy('enrol_tokens.created_at')
      .execute();
    return rows.map(enrolTokenRecord);
  },
  revokeEnrolToken: (id, actor, now) => units.run((db) => revokeEnrolToken(db, id, { actor, now })),
  keepSetting: (name, value) =>
    units.run(async (db) => {
      await db
        .insertInto('settings')
        .values({ name, value })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute();
      const kept = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirstOrThrow();
      return kept.value;
    }),
});
