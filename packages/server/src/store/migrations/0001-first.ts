/** The first schema. Later ones expand before they contract, so that two versions can share a store for a while. */
import { type Kysely, sql } from 'kysely';

const createTenantsAndAccess = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable('tenants')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('applications')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('secret_sha256', 'text', (column) => column.notNull())
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('enrol_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('secret_sha256', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('uses', 'integer', (column) => column.notNull())
    .addColumn('max_uses', 'integer')
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
};

const createMachines = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable('machines')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('hardware_id', 'text', (column) => column.notNull())
    .addColumn('merged_into', 'text')
    .addColumn('dns_name', 'text', (column) => column.notNull())
    .addColumn('os_platform', 'text', (column) => column.notNull())
    .addColumn('os_version', 'text')
    .addColumn('os_processor', 'text', (column) => column.notNull())
    .addColumn('os_build', 'bigint')
    .addColumn('os_architecture', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('agent_version', 'text', (column) => column.notNull())
    .addColumn('aad_device_id', 'text')
    .addColumn('last_ip', 'text')
    .addColumn('last_external_ip', 'text')
    .addColumn('ip_addresses', 'text', (column) => column.notNull())
    .addColumn('first_seen', 'bigint', (column) => column.notNull())
    .addColumn('last_seen', 'bigint', (column) => column.notNull())
    .addColumn('session_id', 'text')
    .addColumn('envelope_counter', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('machines_by_tenant').on('machines').columns(['tenant_id', 'id']).execute();
  await db.schema.createIndex('machines_by_hardware').on('machines').columns(['tenant_id', 'hardware_id']).execute();
  await sql`create index machines_by_name on machines (tenant_id, lower(dns_name))`.execute(db);
  await db.schema.createIndex('machines_by_aad').on('machines').columns(['tenant_id', 'aad_device_id']).execute();
  await sql`create index machines_connected on machines (session_id) where session_id is not null`.execute(db);
  await db.schema
    .createTable('machine_tags')
    .addColumn('machine_id', 'text', (column) => column.notNull().references('machines.id'))
    .addColumn('tag', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('machine_tags_key', ['machine_id', 'tag'])
    .execute();
  await db.schema.createIndex('machine_tags_by_tag').on('machine_tags').columns(['tag', 'machine_id']).execute();
  await db.schema
    .createTable('machine_addresses')
    .addColumn('machine_id', 'text', (column) => column.notNull().references('machines.id'))
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('first_seen', 'bigint', (column) => column.notNull())
    .addColumn('last_seen', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('machine_addresses_key', ['machine_id', 'address'])
    .execute();
  await db.schema
    .createIndex('machine_addresses_by_address')
    .on('machine_addresses')
    .columns(['address', 'machine_id'])
    .execute();
};

const createLibrary = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable('library_files')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('parameters_description', 'text')
    .addColumn('has_parameters', 'integer', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('library_files_key', ['tenant_id', 'name'])
    .execute();
  await db.schema.createIndex('library_files_by_blob').on('library_files').column('sha256').execute();
};

const createActionTables = async (db: Kysely<unknown>, sequence: 'integer' | 'bigserial') => {
  const serial = <T extends { primaryKey: () => T; autoIncrement: () => T }>(column: T): T =>
    sequence === 'integer' ? column.primaryKey().autoIncrement() : column.primaryKey();
  await db.schema
    .createTable('actions')
    .addColumn('seq', sequence, serial)
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('machine_id', 'text', (column) => column.notNull().references('machines.id'))
    .addColumn('computer_dns_name', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('requestor', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('queue_deadline', 'bigint', (column) => column.notNull())
    .addColumn('run_ms', 'bigint', (column) => column.notNull())
    .addColumn('run_deadline', 'bigint')
    .addColumn('accepted_at', 'bigint')
    .addColumn('lease_until', 'bigint')
    .addColumn('holds_slot', 'integer', (column) => column.notNull())
    .addColumn('envelope', 'text')
    .addColumn('cancellation_state', 'text')
    .addColumn('cancellation_requestor', 'text')
    .addColumn('cancellation_comment', 'text')
    .addColumn('cancellation_requested_at', 'bigint')
    .addColumn('cancellation_acknowledged_at', 'bigint')
    .addColumn('cancellation_effective_at', 'bigint')
    .execute();
  await db.schema
    .createTable('audit')
    .addColumn('seq', sequence, serial)
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute();
};

const createActionIndexes = async (db: Kysely<unknown>) => {
  await db.schema.createIndex('actions_by_time').on('actions').columns(['tenant_id', 'created_at', 'seq']).execute();
  await db.schema.createIndex('actions_by_machine').on('actions').columns(['machine_id', 'seq']).execute();
  await sql`create index actions_unfinished on actions (machine_id, seq) where status in ('Pending', 'InProgress') or holds_slot = 1`.execute(
    db,
  );
  await sql`create index actions_holding on actions (tenant_id) where holds_slot = 1`.execute(db);
  await sql`create index actions_waiting on actions (queue_deadline) where status = 'Pending'`.execute(db);
  await sql`create index actions_running on actions (run_deadline) where status = 'InProgress'`.execute(db);
};

const createCommandsAndResults = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable('commands')
    .addColumn('action_id', 'text', (column) => column.notNull().references('actions.id'))
    .addColumn('idx', 'integer', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('sent', 'text', (column) => column.notNull())
    .addColumn('parsed', 'text', (column) => column.notNull())
    .addColumn('time_limit_seconds', 'double precision', (column) => column.notNull())
    .addColumn('file_sha256', 'text')
    .addColumn('file_size', 'bigint')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('errors', 'text', (column) => column.notNull())
    .addColumn('exit_code', 'integer')
    .addPrimaryKeyConstraint('commands_key', ['action_id', 'idx'])
    .execute();
  await db.schema.createIndex('commands_by_blob').on('commands').column('file_sha256').execute();
  await db.schema
    .createTable('results')
    .addColumn('action_id', 'text', (column) => column.notNull().references('actions.id'))
    .addColumn('idx', 'integer', (column) => column.notNull())
    .addColumn('stream', 'text', (column) => column.notNull())
    .addColumn('length_bytes', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text')
    .addColumn('reported_at', 'bigint')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('cut_bytes', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('results_key', ['action_id', 'idx', 'stream'])
    .execute();
  await db.schema.createIndex('results_by_blob').on('results').column('sha256').execute();
  await db.schema.createIndex('results_by_time').on('results').column('created_at').execute();
};

const createKeysAndSettings = async (db: Kysely<unknown>) => {
  await db.schema
    .createTable('idempotency_keys')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('body_sha256', 'text', (column) => column.notNull())
    .addColumn('action_id', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_key', ['tenant_id', 'caller', 'key'])
    .execute();
  await db.schema.createIndex('idempotency_by_expiry').on('idempotency_keys').column('expires_at').execute();
  await db.schema
    .createTable('settings')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
};

export const firstMigration = (sequence: 'integer' | 'bigserial') => ({
  up: async (db: Kysely<unknown>): Promise<void> => {
    await createTenantsAndAccess(db);
    await createMachines(db);
    await createLibrary(db);
    await createActionTables(db, sequence);
    await createActionIndexes(db);
    await createCommandsAndResults(db);
    await createKeysAndSettings(db);
  },
});
