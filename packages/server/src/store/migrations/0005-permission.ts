/** Device groups, applications limited to some of them, and actions that wait for a second person. */
import { type Kysely, sql } from 'kysely';

const createDeviceGroups = async (db: Kysely<unknown>, sequence: 'integer' | 'bigserial') => {
  await db.schema
    .createTable('device_groups')
    .addColumn('id', sequence, (column) =>
      sequence === 'integer' ? column.primaryKey().autoIncrement() : column.primaryKey(),
    )
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('name_key', 'text', (column) => column.notNull())
    .addColumn('live_response', 'integer', (column) => column.notNull())
    .addColumn('approval', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('device_groups_by_name')
    .on('device_groups')
    .columns(['tenant_id', 'name_key'])
    .unique()
    .execute();
  for (const table of ['machines', 'enrol_tokens', 'actions'])
    await db.schema
      .alterTable(table)
      .addColumn('group_id', 'bigint', (column) => column.references('device_groups.id'))
      .execute();
  await sql`create index machines_by_group on machines (group_id, id) where group_id is not null`.execute(db);
  await sql`create index actions_by_group on actions (group_id, created_at, seq) where group_id is not null`.execute(
    db,
  );
  await db.schema.alterTable('applications').addColumn('device_groups', 'text').execute();
};

const addApproval = async (db: Kysely<unknown>) => {
  await db.schema
    .alterTable('library_files')
    .addColumn('requires_approval', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  const texts = ['requester', 'requester_application', 'approval_state', 'approver', 'approval_reason'];
  for (const column of texts) await db.schema.alterTable('actions').addColumn(column, 'text').execute();
  await db.schema.alterTable('actions').addColumn('approval_decided_at', 'bigint').execute();
};

export const permissionMigration = (sequence: 'integer' | 'bigserial') => ({
  up: async (db: Kysely<unknown>): Promise<void> => {
    await createDeviceGroups(db, sequence);
    await addApproval(db);
  },
});
