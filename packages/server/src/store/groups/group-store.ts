/** Device groups in the store. */
import type { TenantId } from '@longarm/contract/ids';
import type { Kysely, Selectable } from 'kysely';
import { groupKey } from '../../audit/reach.ts';
import type { DeviceGroup, GroupStore } from '../../machines/ports.ts';
import type { DeviceGroupRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

type Change<Method extends keyof GroupStore> = Parameters<GroupStore[Method]>[0] & {
  readonly tenantId: TenantId;
  readonly actor: string;
  readonly now: number;
};

const groupRecord = (row: Selectable<DeviceGroupRow>): DeviceGroup => ({
  id: row.id,
  name: row.name,
  liveResponse: row.live_response === 1,
  approval: row.approval === 1,
  createdAt: row.created_at,
});

const findRow = (db: Kysely<Schema>, tenantId: TenantId, name: string) =>
  db
    .selectFrom('device_groups')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name_key', '=', groupKey(name))
    .executeTakeFirst();

const audit = (
  db: Kysely<Schema>,
  by: { readonly tenantId: TenantId; readonly actor: string; readonly now: number },
  entry: { readonly event: string; readonly subject: string; readonly detail: Readonly<Record<string, unknown>> },
) => writeAudit(db, { tenantId: by.tenantId, at: by.now, actor: by.actor, ...entry });

const add = async (db: Kysely<Schema>, group: Change<'add'>): Promise<DeviceGroup | null> => {
  if ((await findRow(db, group.tenantId, group.name)) !== undefined) return null;
  const row = await db
    .insertInto('device_groups')
    .values({
      tenant_id: group.tenantId,
      name: group.name.trim(),
      name_key: groupKey(group.name),
      live_response: group.liveResponse ? 1 : 0,
      approval: group.approval ? 1 : 0,
      created_at: group.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const detail = { liveResponse: group.liveResponse, approval: group.approval };
  await audit(db, group, { event: 'device-group.added', subject: row.name, detail });
  return groupRecord(row);
};

const list = async (db: Kysely<Schema>, tenantId: TenantId) => {
  const rows = await db
    .selectFrom('device_groups')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('machines')
        .select((count) => count.fn.countAll<number>().as('machines'))
        .whereRef('machines.group_id', '=', 'device_groups.id')
        .where('machines.merged_into', 'is', null)
        .as('machines'),
    )
    .where('tenant_id', '=', tenantId)
    .orderBy('name_key')
    .execute();
  return rows.map((row) => ({ ...groupRecord(row), machines: Number(row.machines) }));
};

const change = async (db: Kysely<Schema>, group: Change<'change'>): Promise<DeviceGroup | null> => {
  const known = await findRow(db, group.tenantId, group.name);
  if (known === undefined) return null;
  const { liveResponse = known.live_response === 1, approval = known.approval === 1 } = group.settings;
  const row = await db
    .updateTable('device_groups')
    .set({ live_response: liveResponse ? 1 : 0, approval: approval ? 1 : 0 })
    .where('id', '=', known.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const detail = { liveResponse, approval };
  await audit(db, group, { event: 'device-group.changed', subject: known.name, detail });
  return groupRecord(row);
};

const isInUse = async (db: Kysely<Schema>, groupId: DeviceGroup['id']): Promise<boolean> => {
  const machine = await db
    .selectFrom('machines')
    .select('id')
    .where('group_id', '=', groupId)
    .where('merged_into', 'is', null)
    .executeTakeFirst();
  const token = await db
    .selectFrom('enrol_tokens')
    .select('id')
    .where('group_id', '=', groupId)
    .where('revoked', '=', 0)
    .executeTakeFirst();
  return machine !== undefined || token !== undefined;
};

const remove = async (db: Kysely<Schema>, group: Change<'remove'>): ReturnType<GroupStore['remove']> => {
  const known = await findRow(db, group.tenantId, group.name);
  if (known === undefined) return 'unknown';
  if (await isInUse(db, known.id)) return 'in-use';
  for (const table of ['machines', 'enrol_tokens', 'actions'] as const)
    await db.updateTable(table).set({ group_id: null }).where('group_id', '=', known.id).execute();
  await db.deleteFrom('device_groups').where('id', '=', known.id).execute();
  await audit(db, group, { event: 'device-group.deleted', subject: known.name, detail: {} });
  return 'removed';
};

const move = async (db: Kysely<Schema>, change: Change<'move'>): Promise<boolean> => {
  const moved = await db
    .updateTable('machines')
    .set({ group_id: change.groupId })
    .where('tenant_id', '=', change.tenantId)
    .where('id', '=', change.machineId)
    .executeTakeFirst();
  if (moved.numUpdatedRows !== 1n) return false;
  // its actions go with it: theirs is the group that the machine is in now
  await db
    .updateTable('actions')
    .set({ group_id: change.groupId })
    .where('machine_id', '=', change.machineId)
    .execute();
  await audit(db, change, { event: 'machine.group', subject: change.machineId, detail: { groupId: change.groupId } });
  return true;
};

export const groupStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): GroupStore => ({
  add: (group) => units.run((db) => add(db, group)),
  find: async (tenantId, name) => {
    const row = await findRow(reader, tenantId, name);
    return row === undefined ? null : groupRecord(row);
  },
  list: (tenantId) => list(reader, tenantId),
  change: (group) => units.run((db) => change(db, group)),
  remove: (group) => units.run((db) => remove(db, group)),
  move: (machine) => units.run((db) => move(db, machine)),
});
