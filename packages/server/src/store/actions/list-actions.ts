/** The action list: every documented filter, the newest first unless asked otherwise. */
import { ACTION_STATUSES, ACTION_TYPES, APPROVAL_STATES, REQUEST_SOURCES } from '@longarm/contract/action';
import type { ActionField } from '@longarm/contract/odata/fields';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import type { Kysely } from 'kysely';
import type { ActionRecord } from '../../actions/action-record.ts';
import type { Reach } from '../../audit/reach.ts';
import { cutPage, filtered, paged } from '../collection-page.ts';
import type { ColumnMap } from '../odata/column-map.ts';
import { actionInReach } from '../reach.ts';
import type { Schema } from '../schema.ts';
import { withCommands } from './load-actions.ts';

const ACTION_COLUMNS: ColumnMap<ActionField> = {
  id: { kind: 'guid', column: 'actions.id' },
  status: { kind: 'enum', column: 'actions.status', values: ACTION_STATUSES },
  machineId: { kind: 'hex', column: 'actions.machine_id' },
  type: { kind: 'enum', column: 'actions.type', values: ACTION_TYPES },
  requestor: { kind: 'text', column: 'actions.requestor' },
  creationDateTimeUtc: { kind: 'moment', column: 'actions.created_at' },
  lastUpdateDateTimeUtc: { kind: 'moment', column: 'actions.updated_at' },
  computerDnsName: { kind: 'text', column: 'actions.computer_dns_name' },
  requestorComment: { kind: 'text', column: 'actions.comment' },
  approvalState: { kind: 'enum', column: 'actions.approval_state', values: APPROVAL_STATES, nullable: true },
  requestSource: { kind: 'enum', column: 'actions.source', values: REQUEST_SOURCES },
};

type Listing = { readonly reach: Reach; readonly query: CollectionQuery };

const inReach = (db: Kysely<Schema>, listing: Listing) =>
  filtered(db.selectFrom('actions').where(actionInReach(listing.reach)), listing.query, ACTION_COLUMNS);

export const listActions = async (
  db: Kysely<Schema>,
  listing: Listing,
): Promise<{ readonly actions: readonly ActionRecord[]; readonly count: number | null; readonly hasMore: boolean }> => {
  const page = paged(inReach(db, listing).selectAll('actions'), listing.query, ACTION_COLUMNS);
  // the key breaks ties: later accepted is newer
  const ordered = listing.query.orderBy.length === 0 ? page.orderBy('actions.created_at', 'desc') : page;
  const { rows, hasMore } = cutPage(await ordered.orderBy('actions.seq', 'desc').execute());
  const counted = listing.query.count
    ? await inReach(db, listing)
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow()
    : null;
  return { actions: await withCommands(db, rows), count: counted === null ? null : Number(counted.rows), hasMore };
};
