/** Applications, and what they prove themselves by, made and ended by the local administrator. */
import { DEFAULT_GRANTS, DEFAULT_SCOPES } from '@longarm/contract/application';
import { Refusal } from '@longarm/contract/errors';
import { ApplicationId, type TenantId } from '@longarm/contract/ids';
import { formatInstant, formatInstantOrNull } from '@longarm/contract/instant';
import { readCertificate } from '../auth/clients/certificate.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import type { AccessStore, ApplicationRecord, CredentialStore, SecretRecord } from '../auth/ports.ts';
import type { GroupStore } from '../machines/ports.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';
import { requireGroup } from './device-groups.ts';

export type ApplicationsIo = {
  readonly access: AccessStore;
  readonly credentials: CredentialStore;
  readonly groups: GroupStore;
  readonly tenant: TenantId;
  readonly now: () => number;
  readonly randomText: (bytes: number) => string;
  readonly newId: () => string;
};

const DAY_MS = 86_400_000;
/** Random bytes of a client secret, and of the name of one. */
const SECRET_BYTES = 32;
const SECRET_ID_BYTES = 9;

type Asked = {
  readonly name: string;
  readonly deviceGroups?: readonly string[] | undefined;
  readonly grants?: ApplicationRecord['grants'] | undefined;
  readonly scopes?: ApplicationRecord['scopes'] | undefined;
  readonly redirectUris?: readonly string[] | undefined;
};

const groupsOf = async (io: ApplicationsIo, names: readonly string[] | undefined) => {
  if (names === undefined) return 'all';
  const groups = await Promise.all(names.map((name) => requireGroup(io, name)));
  return [...new Set(groups.map(({ name }) => name))];
};

const newApplication = async (
  io: ApplicationsIo,
  asked: Asked,
  kind: Pick<ApplicationRecord, 'roles' | 'isNative' | 'grants'>,
): Promise<ApplicationRecord> => ({
  ...kind,
  id: ApplicationId.parse(io.newId()),
  tenantId: io.tenant,
  name: asked.name,
  deviceGroups: await groupsOf(io, asked.deviceGroups),
  createdAt: io.now(),
  grants: [...new Set(asked.grants ?? kind.grants)],
  scopes: [...new Set(asked.scopes ?? DEFAULT_SCOPES)],
  redirectUris: asked.redirectUris ?? (kind.isNative ? ['http://localhost'] : []),
});

const newSecret = (
  io: ApplicationsIo,
  applicationId: ApplicationId,
  validDays: number | null,
): { readonly clientSecret: string; readonly record: SecretRecord } => {
  const clientSecret = io.randomText(SECRET_BYTES);
  const createdAt = io.now();
  const record = {
    id: io.randomText(SECRET_ID_BYTES),
    applicationId,
    secretSha256: hashSecret(clientSecret),
    createdAt,
    expiresAt: validDays === null ? null : Math.ceil(createdAt + validDays * DAY_MS),
    lastUsedAt: null,
  };
  return { clientSecret, record };
};

const requireApplication = async (io: ApplicationsIo, id: ApplicationId): Promise<ApplicationRecord> => {
  const application = await io.access.findApplication(id);
  if (application?.tenantId === io.tenant) return application;
  throw new Refusal('ResourceNotFound', `There is no application ${id}. See \`longarm app list\`.`);
};

type Applications = Pick<
  AdminOperations,
  'createApplication' | 'createNativeApplication' | 'listApplications' | 'deleteApplication'
>;

export const applications = (io: ApplicationsIo): Applications => ({
  createApplication: async (asked) => {
    const kind = { roles: [...new Set(asked.roles)], isNative: false, grants: DEFAULT_GRANTS };
    const application = await newApplication(io, asked, kind);
    const { clientSecret, record } = newSecret(io, application.id, null);
    await io.access.addApplication(application, record, ACTOR);
    return { tenantId: io.tenant, clientId: application.id, clientSecret };
  },
  createNativeApplication: async (asked) => {
    const application = await newApplication(io, asked, {
      roles: [],
      isNative: true,
      grants: ['device_code', 'authorization_code', 'refresh_token'],
    });
    if (application.grants.includes('client_credentials'))
      throw new Refusal('InvalidInput', 'A native application keeps no secret: it cannot use client_credentials.');
    await io.access.addApplication(application, null, ACTOR);
    return { tenantId: io.tenant, clientId: application.id };
  },
  listApplications: async () => ({
    applications: (await io.access.listApplications(io.tenant)).map((application) => ({
      tenantId: application.tenantId,
      clientId: application.id,
      name: application.name,
      roles: [...application.roles],
      deviceGroups: application.deviceGroups === 'all' ? 'all' : [...application.deviceGroups],
      createdDateTimeUtc: formatInstant(application.createdAt),
      grants: [...application.grants],
      scopes: [...application.scopes],
      isNative: application.isNative,
      redirectUris: [...application.redirectUris],
    })),
  }),
  deleteApplication: async ({ clientId }) => ({
    deleted: await io.access.removeApplication(clientId, ACTOR, io.now()),
  }),
});

type Credentials = Pick<
  AdminOperations,
  'addApplicationSecret' | 'addApplicationCertificate' | 'listApplicationCredentials' | 'removeApplicationCredential'
>;

const notNative = (application: ApplicationRecord): void => {
  if (application.isNative)
    throw new Refusal('BadRequest', `${application.name} is a native application: it cannot keep a secret.`);
};

const addCertificate = async (io: ApplicationsIo, clientId: ApplicationId, pem: string) => {
  const certificate = readCertificate(pem);
  if (certificate === null)
    throw new Refusal(
      'InvalidInput',
      'Expected a certificate in PEM, of an RSA key of at least 2048 bits or one on P-256, got something else.',
    );
  const change = { tenantId: io.tenant, actor: ACTOR, now: io.now() };
  const record = { ...certificate, applicationId: clientId, createdAt: io.now(), lastUsedAt: null };
  if (!(await io.credentials.addCertificate(record, change)))
    throw new Refusal('BadRequest', 'The application has this certificate already.');
  const { id, subject, expiresAt } = certificate;
  return { id, subject, expiresDateTimeUtc: formatInstant(expiresAt) };
};

const listCredentials = async (io: ApplicationsIo, clientId: ApplicationId) => {
  const secrets = (await io.credentials.secretsOf(clientId)).map((secret) => ({
    ...secret,
    kind: 'secret' as const,
    subject: null,
  }));
  const certificates = (await io.credentials.certificatesOf(clientId)).map((certificate) => ({
    ...certificate,
    kind: 'certificate' as const,
  }));
  return [...secrets, ...certificates].map(({ id, kind, subject, createdAt, expiresAt, lastUsedAt }) => ({
    id,
    kind,
    subject,
    createdDateTimeUtc: formatInstant(createdAt),
    expiresDateTimeUtc: formatInstantOrNull(expiresAt),
    lastUsedDateTimeUtc: formatInstantOrNull(lastUsedAt),
  }));
};

export const applicationCredentials = (io: ApplicationsIo): Credentials => ({
  addApplicationSecret: async ({ clientId, validDays }) => {
    notNative(await requireApplication(io, clientId));
    const { clientSecret, record } = newSecret(io, clientId, validDays);
    await io.credentials.addSecret(record, { tenantId: io.tenant, actor: ACTOR, now: io.now() });
    return { id: record.id, clientSecret, expiresDateTimeUtc: formatInstantOrNull(record.expiresAt) };
  },
  addApplicationCertificate: async ({ clientId, pem }) => {
    notNative(await requireApplication(io, clientId));
    return addCertificate(io, clientId, pem);
  },
  listApplicationCredentials: async ({ clientId }) => {
    await requireApplication(io, clientId);
    return { credentials: await listCredentials(io, clientId) };
  },
  removeApplicationCredential: async ({ clientId, kind, id }) => {
    await requireApplication(io, clientId);
    const change = { tenantId: io.tenant, actor: ACTOR, now: io.now() };
    return { removed: await io.credentials.remove({ applicationId: clientId, kind, id }, change) };
  },
});
