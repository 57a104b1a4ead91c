/** Who may ask: secrets and certificates of applications, people, what was issued to them, and other issuers. */
import { type Kysely, type RawBuilder, sql } from 'kysely';

type Column = readonly [name: string, type: 'text' | 'bigint' | 'integer', isRequired?: 'required'];

/** Which rows go when a row that they hang on goes. */
type Table = {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  readonly of: Readonly<Record<string, 'applications' | 'people' | 'tenants'>>;
};

const TABLES: readonly Table[] = [
  {
    name: 'application_secrets',
    columns: [
      ['id', 'text', 'required'],
      ['application_id', 'text', 'required'],
      ['secret_sha256', 'text', 'required'],
      ['created_at', 'bigint', 'required'],
      ['expires_at', 'bigint'],
      ['last_used_at', 'bigint'],
    ],
    key: ['id'],
    of: { application_id: 'applications' },
  },
  {
    name: 'application_certificates',
    columns: [
      ['id', 'text', 'required'],
      ['application_id', 'text', 'required'],
      ['pem', 'text', 'required'],
      ['subject', 'text', 'required'],
      ['created_at', 'bigint', 'required'],
      ['expires_at', 'bigint', 'required'],
      ['last_used_at', 'bigint'],
    ],
    key: ['application_id', 'id'],
    of: { application_id: 'applications' },
  },
  {
    name: 'used_assertions',
    columns: [
      ['id', 'text', 'required'],
      ['expires_at', 'bigint', 'required'],
    ],
    key: ['id'],
    of: {},
  },
  {
    name: 'people',
    columns: [
      ['id', 'text', 'required'],
      ['tenant_id', 'text', 'required'],
      ['name', 'text', 'required'],
      ['name_key', 'text', 'required'],
      ['display_name', 'text', 'required'],
      ['password_hash', 'text'],
      ['roles', 'text', 'required'],
      ['device_groups', 'text'],
      ['disabled', 'integer', 'required'],
      ['created_at', 'bigint', 'required'],
      ['setup_sha256', 'text'],
      ['setup_expires_at', 'bigint'],
      ['totp_secret', 'text'],
      ['totp_step', 'bigint'],
      ['recovery_sha256', 'text', 'required'],
      ['last_sign_in_at', 'bigint'],
    ],
    key: ['id'],
    of: { tenant_id: 'tenants' },
  },
  {
    name: 'refresh_tokens',
    columns: [
      ['token_sha256', 'text', 'required'],
      ['family', 'text', 'required'],
      ['application_id', 'text', 'required'],
      ['person_id', 'text', 'required'],
      ['scopes', 'text', 'required'],
      ['is_strong', 'integer', 'required'],
      ['created_at', 'bigint', 'required'],
      ['expires_at', 'bigint', 'required'],
      ['used_at', 'bigint'],
    ],
    key: ['token_sha256'],
    of: { application_id: 'applications', person_id: 'people' },
  },
  {
    name: 'device_codes',
    columns: [
      ['code_sha256', 'text', 'required'],
      ['user_code', 'text', 'required'],
      ['application_id', 'text', 'required'],
      ['scopes', 'text', 'required'],
      ['expires_at', 'bigint', 'required'],
      ['polled_at', 'bigint'],
      ['interval_ms', 'bigint', 'required'],
      ['state', 'text', 'required'],
      ['person_id', 'text'],
      ['is_strong', 'integer', 'required'],
    ],
    key: ['code_sha256'],
    of: { application_id: 'applications', person_id: 'people' },
  },
  {
    name: 'authorization_codes',
    columns: [
      ['code_sha256', 'text', 'required'],
      ['application_id', 'text', 'required'],
      ['person_id', 'text', 'required'],
      ['scopes', 'text', 'required'],
      ['redirect_uri', 'text', 'required'],
      ['challenge', 'text', 'required'],
      ['is_strong', 'integer', 'required'],
      ['expires_at', 'bigint', 'required'],
      ['family', 'text'],
    ],
    key: ['code_sha256'],
    of: { application_id: 'applications', person_id: 'people' },
  },
  {
    name: 'issuers',
    columns: [
      ['id', 'text', 'required'],
      ['tenant_id', 'text', 'required'],
      ['url', 'text', 'required'],
      ['settings', 'text', 'required'],
      ['created_at', 'bigint', 'required'],
    ],
    key: ['id'],
    of: { tenant_id: 'tenants' },
  },
];

const INDEXES: readonly string[] = [
  'create index application_secrets_of on application_secrets (application_id)',
  'create unique index people_by_name on people (tenant_id, name_key)',
  'create index refresh_tokens_of_family on refresh_tokens (family)',
  'create index refresh_tokens_of_person on refresh_tokens (person_id)',
  'create index device_codes_by_user_code on device_codes (user_code)',
  'create unique index issuers_by_url on issuers (url)',
];

const createTable = async (db: Kysely<unknown>, table: Table) => {
  const columns = table.columns.map(([name, type, isRequired]) => {
    const parent = table.of[name];
    const cascade = parent === 'tenants' ? '' : ' on delete cascade';
    const reference = parent === undefined ? '' : ` references ${parent} (id)${cascade}`;
    return `${name} ${type}${isRequired === undefined ? '' : ' not null'}${reference}`;
  });
  const text = `create table ${table.name} (${columns.join(', ')}, primary key (${table.key.join(', ')}))`;
  await sql.raw(text).execute(db);
};

/** What applications were until now: one secret without an end, and the grant of client credentials. */
const KEEP_WHAT_WAS: readonly RawBuilder<unknown>[] = [
  sql`insert into application_secrets (id, application_id, secret_sha256, created_at)
      select 'first-' || id, id, secret_sha256, created_at from applications`,
  sql`alter table applications add column grants text not null default '["client_credentials"]'`,
  sql`alter table applications add column scopes text not null default '[]'`,
  sql`alter table applications add column redirect_uris text not null default '[]'`,
  sql`alter table applications add column is_native integer not null default 0`,
];

export const callersMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const table of TABLES) await createTable(db, table);
    for (const index of INDEXES) await sql.raw(index).execute(db);
    for (const change of KEEP_WHAT_WAS) await change.execute(db);
  },
};
