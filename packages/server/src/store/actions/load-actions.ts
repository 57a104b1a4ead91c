/** Reads actions with their commands and results: three queries, however many actions. */
import type { ActionId, TenantId } from '@longarm/contract/ids';
import type { Kysely, Selectable } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { Reach } from '../../audit/reach.ts';
import { firstOf, prepared } from '../prepared.ts';
import { actionInReach } from '../reach.ts';
import type { ActionRow, CommandRow, ResultRow, Schema } from '../schema.ts';
import { actionRecord } from './action-rows.ts';

/** Ids bound in one query; SQLite allows 32,766 parameters. */
const IDS_PER_QUERY = 2_000;

const groupByAction = <Row extends { readonly action_id: ActionId }>(
  rows: readonly Row[],
): ReadonlyMap<ActionId, Row[]> => {
  const groups = new Map<ActionId, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.action_id);
    if (group === undefined) groups.set(row.action_id, [row]);
    else group.push(row);
  }
  return groups;
};

/** The records of these rows, in their order. */
export const withCommands = async (
  db: Kysely<Schema>,
  rows: readonly Selectable<ActionRow>[],
): Promise<readonly ActionRecord[]> => {
  const commands: CommandRow[] = [];
  const results: ResultRow[] = [];
  for (let start = 0; start < rows.length; start += IDS_PER_QUERY) {
    const ids = rows.slice(start, start + IDS_PER_QUERY).map((row) => row.id);
    commands.push(
      ...(await db.selectFrom('commands').selectAll().where('action_id', 'in', ids).orderBy('idx').execute()),
    );
    results.push(
      ...(await db
        .selectFrom('results')
        .selectAll()
        .where('action_id', 'in', ids)
        .where('reported_at', 'is not', null)
        .execute()),
    );
  }
  const commandsOf = groupByAction(commands);
  const resultsOf = groupByAction(results);
  return rows.map((row) => actionRecord(row, commandsOf.get(row.id) ?? [], resultsOf.get(row.id) ?? []));
};

const actionById = prepared((db, given: { readonly id: ActionId }) =>
  db.selectFrom('actions').selectAll().where('id', '=', given.id),
);

const commandsOfAction = prepared((db, given: { readonly id: ActionId }) =>
  db.selectFrom('commands').selectAll().where('action_id', '=', given.id).orderBy('idx'),
);

/** In their order. */
export const commandsOf = async (db: Kysely<Schema>, id: ActionId): Promise<readonly CommandRow[]> =>
  (await commandsOfAction(db, { id })).rows;

const resultsOfAction = prepared((db, given: { readonly id: ActionId }) =>
  db.selectFrom('results').selectAll().where('action_id', '=', given.id).where('reported_at', 'is not', null),
);

const recordOf = async (db: Kysely<Schema>, row: Selectable<ActionRow>): Promise<ActionRecord> => {
  const { id } = row;
  const commands = await commandsOf(db, id);
  const results = await resultsOfAction(db, { id });
  return actionRecord(row, commands, results.rows);
};

const ofTenant = prepared((db, given: { readonly tenantId: TenantId; readonly id: ActionId }) =>
  db
    .selectFrom('actions')
    .selectAll()
    .where(actionInReach({ tenantId: given.tenantId, deviceGroups: 'all' }))
    .where('id', '=', given.id),
);

const rowInReach = (db: Kysely<Schema>, reach: Reach, id: ActionId) =>
  reach.deviceGroups === 'all'
    ? firstOf(ofTenant(db, { tenantId: reach.tenantId, id }))
    : db.selectFrom('actions').selectAll().where(actionInReach(reach)).where('id', '=', id).executeTakeFirst();

/** One action by id, or null where it is not there, or out of reach. */
export const loadActionInReach = async (
  db: Kysely<Schema>,
  reach: Reach,
  id: ActionId,
): Promise<ActionRecord | null> => {
  const row = await rowInReach(db, reach, id);
  return row === undefined ? null : recordOf(db, row);
};

/** One action by id, whoever asks, or null. */
export const loadAction = async (db: Kysely<Schema>, id: ActionId): Promise<ActionRecord | null> => {
  const row = await firstOf(actionById(db, { id }));
  return row === undefined ? null : recordOf(db, row);
};
