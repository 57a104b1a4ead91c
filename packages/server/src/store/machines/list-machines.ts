/** The machine list: every documented filter, by id unless asked otherwise. */
import { ACTIVE_DAYS } from '@longarm/contract/limits';
import { ENROLMENT_STATES, HEALTH_STATUSES, OS_PLATFORMS } from '@longarm/contract/machine';
import type { MachineField } from '@longarm/contract/odata/fields';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import { type Kysely, sql } from 'kysely';
import type { Reach } from '../../audit/reach.ts';
import { MACHINE_CONSTANTS } from '../../machines/machine-constants.ts';
import type { MachineRecord } from '../../machines/ports.ts';
import { cutPage, filtered, paged } from '../collection-page.ts';
import type { ColumnMap, ValueColumn } from '../odata/column-map.ts';
import { machineInReach } from '../reach.ts';
import type { Schema } from '../schema.ts';
import { withTags } from './machine-rows.ts';

const DAY_MS = 86_400_000;

/** What every machine has the same, since nothing here assesses it. */
const same = (kind: 'enum' | 'text', value: string): ValueColumn => ({ kind, expression: sql`cast(${value} as text)` });

const machineColumns = (now: number): ColumnMap<MachineField> => ({
  id: { kind: 'hex', column: 'machines.id' },
  computerDnsName: { kind: 'text', column: 'machines.dns_name' },
  version: { kind: 'text', column: 'machines.version' },
  deviceValue: same('enum', MACHINE_CONSTANTS.deviceValue),
  aadDeviceId: { kind: 'guid', column: 'machines.aad_device_id', nullable: true },
  machineTags: {
    kind: 'textList',
    table: 'machine_tags',
    owner: 'machine_tags.machine_id',
    key: 'machines.id',
    value: 'machine_tags.tag',
  },
  firstSeen: { kind: 'moment', column: 'machines.first_seen' },
  lastSeen: { kind: 'moment', column: 'machines.last_seen' },
  exposureLevel: same('enum', MACHINE_CONSTANTS.exposureLevel),
  onboardingStatus: same('enum', MACHINE_CONSTANTS.onboardingStatus),
  lastIpAddress: { kind: 'text', column: 'machines.last_ip', nullable: true },
  lastExternalIpAddress: { kind: 'text', column: 'machines.last_external_ip', nullable: true },
  healthStatus: {
    kind: 'enum',
    values: HEALTH_STATUSES,
    expression: sql`case when machines.last_seen >= ${now - ACTIVE_DAYS * DAY_MS} then 'Active' else 'Inactive' end`,
  },
  osPlatform: { kind: 'enum', column: 'machines.os_platform', values: OS_PLATFORMS },
  osVersion: { kind: 'text', column: 'machines.os_version', nullable: true },
  agentVersion: { kind: 'text', column: 'machines.agent_version' },
  riskScore: same('enum', MACHINE_CONSTANTS.riskScore),
  rbacGroupId: { kind: 'number', expression: sql`coalesce(machines.group_id, 0)` },
  rbacGroupName: {
    kind: 'text',
    nullable: true,
    expression: sql`(select device_groups.name from device_groups where device_groups.id = machines.group_id)`,
  },
  enrolmentState: { kind: 'enum', column: 'machines.enrolment_state', values: ENROLMENT_STATES },
  isOnline: { kind: 'boolean', expression: sql`case when machines.session_id is null then 0 else 1 end` },
});

type Listing = { readonly reach: Reach; readonly query: CollectionQuery; readonly now: number };

const inReach = (db: Kysely<Schema>, listing: Listing) =>
  filtered(
    db.selectFrom('machines').where(machineInReach(listing.reach)).where('machines.merged_into', 'is', null),
    listing.query,
    machineColumns(listing.now),
  );

export const listMachines = async (
  db: Kysely<Schema>,
  listing: Listing,
): Promise<{
  readonly machines: readonly MachineRecord[];
  readonly count: number | null;
  readonly hasMore: boolean;
}> => {
  const page = paged(inReach(db, listing).selectAll('machines'), listing.query, machineColumns(listing.now));
  const { rows, hasMore } = cutPage(await page.orderBy('machines.id').execute());
  const counted = listing.query.count
    ? await inReach(db, listing)
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow()
    : null;
  return { machines: await withTags(db, rows), count: counted === null ? null : Number(counted.rows), hasMore };
};
