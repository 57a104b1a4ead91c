/** Secrets and certificates of applications in the store, and the assertions that were used. */
import type { Kysely, Selectable } from 'kysely';
import type { Change } from '../../auth/change.ts';
import type { CertificateRecord, CredentialName, CredentialStore, SecretRecord } from '../../auth/ports.ts';
import type { ApplicationCertificateRow, ApplicationSecretRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

const TABLES = { secret: 'application_secrets', certificate: 'application_certificates' } as const;

/** When a credential was last used is known to this precision: no write for each token. */
const USED_MS = 60_000;

const secretRecord = (row: Selectable<ApplicationSecretRow>): SecretRecord => ({
  id: row.id,
  applicationId: row.application_id,
  secretSha256: row.secret_sha256,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

const certificateRecord = (row: Selectable<ApplicationCertificateRow>): CertificateRecord => ({
  id: row.id,
  applicationId: row.application_id,
  pem: row.pem,
  subject: row.subject,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

const tell = (db: Kysely<Schema>, event: 'added' | 'removed', told: { readonly name: CredentialName } & Change) =>
  writeAudit(db, {
    tenantId: told.tenantId,
    at: told.now,
    actor: told.actor,
    event: `application.${told.name.kind}-${event}`,
    subject: told.name.applicationId,
    detail: { id: told.name.id },
  });

export const insertSecret = async (db: Kysely<Schema>, secret: SecretRecord): Promise<void> => {
  await db
    .insertInto('application_secrets')
    .values({
      id: secret.id,
      application_id: secret.applicationId,
      secret_sha256: secret.secretSha256,
      created_at: secret.createdAt,
      expires_at: secret.expiresAt,
      last_used_at: null,
    })
    .execute();
};

const addCertificate = async (db: Kysely<Schema>, certificate: CertificateRecord, change: Change) => {
  const { id, applicationId } = certificate;
  const added = await db
    .insertInto('application_certificates')
    .values({
      id,
      application_id: applicationId,
      pem: certificate.pem,
      subject: certificate.subject,
      created_at: certificate.createdAt,
      expires_at: certificate.expiresAt,
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.columns(['application_id', 'id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (added === undefined) return false;
  await tell(db, 'added', { name: { applicationId, kind: 'certificate', id }, ...change });
  return true;
};

const remove = async (db: Kysely<Schema>, name: CredentialName, change: Change) => {
  const removed = await db
    .deleteFrom(TABLES[name.kind])
    .where('application_id', '=', name.applicationId)
    .where('id', '=', name.id)
    .returning('id')
    .executeTakeFirst();
  if (removed === undefined) return false;
  await tell(db, 'removed', { name, ...change });
  return true;
};

const useAssertion = async (
  db: Kysely<Schema>,
  { id, expiresAt }: { readonly id: string; readonly expiresAt: number },
  now: number,
) => {
  await db.deleteFrom('used_assertions').where('expires_at', '<', now).execute();
  const added = await db
    .insertInto('used_assertions')
    .values({ id, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return added !== undefined;
};

export const credentialStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): CredentialStore => ({
  secretsOf: async (id) => {
    const rows = reader.selectFrom('application_secrets').selectAll().where('application_id', '=', id);
    return (await rows.orderBy('created_at').execute()).map(secretRecord);
  },
  certificatesOf: async (id) => {
    const rows = reader.selectFrom('application_certificates').selectAll().where('application_id', '=', id);
    return (await rows.orderBy('created_at').execute()).map(certificateRecord);
  },
  addSecret: (secret, change) =>
    units.run(async (db) => {
      const { applicationId, id } = secret;
      await insertSecret(db, secret);
      await tell(db, 'added', { name: { applicationId, kind: 'secret', id }, ...change });
    }),
  addCertificate: (certificate, change) => units.run((db) => addCertificate(db, certificate, change)),
  remove: (name, change) => units.run((db) => remove(db, name, change)),
  used: async (name, now) => {
    await units.run((db) =>
      db
        .updateTable(TABLES[name.kind])
        .set({ last_used_at: now })
        .where('application_id', '=', name.applicationId)
        .where('id', '=', name.id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', now - USED_MS)]))
        .execute(),
    );
  },
  useAssertion: (assertion, now) => units.run((db) => useAssertion(db, assertion, now)),
});
