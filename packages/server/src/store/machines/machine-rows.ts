/** Rows of a machine → the core's record of it. */
import type { MachineId } from '@longarm/contract/ids';
import type { IpAddressEntity } from '@longarm/contract/machine';
import type { DeviceFacts } from '@longarm/contract/wire/facts';
import type { Kysely, Selectable } from 'kysely';
import type { MachineRecord } from '../../machines/ports.ts';
import { preparedList } from '../prepared.ts';
import type { MachineRow, Schema } from '../schema.ts';
import { partsOf } from '../together.ts';

/** Ids bound in one query. */
const IDS_PER_QUERY = 2_000;

type Extras = { readonly tags: readonly string[]; readonly groupName: string | undefined };

const machineRecord = (row: Selectable<MachineRow>, { tags, groupName }: Extras): MachineRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  mergedInto: row.merged_into,
  computerDnsName: row.dns_name,
  osPlatform: row.os_platform,
  osVersion: row.os_version,
  osProcessor: row.os_processor,
  osBuild: row.os_build,
  osArchitecture: row.os_architecture,
  version: row.version,
  agentVersion: row.agent_version,
  aadDeviceId: row.aad_device_id,
  lastIpAddress: row.last_ip,
  lastExternalIpAddress: row.last_external_ip,
  // written by this store from parsed facts
  ipAddresses: JSON.parse(row.ip_addresses) as IpAddressEntity[],
  tags,
  group: row.group_id === null ? null : { id: row.group_id, name: groupName ?? '' },
  firstSeen: row.first_seen,
  lastSeen: row.last_seen,
  isOnline: row.session_id !== null,
  enrolmentState: row.enrolment_state,
  enrolmentReason: row.enrolment_reason,
});

/** Names of the groups that these machines are in. */
const groupNames = async (
  db: Kysely<Schema>,
  rows: readonly Selectable<MachineRow>[],
): Promise<ReadonlyMap<number, string>> => {
  const ids = [...new Set(rows.flatMap((row) => row.group_id ?? []))];
  const names = new Map<number, string>();
  for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
    const some = ids.slice(start, start + IDS_PER_QUERY);
    const groups = await db.selectFrom('device_groups').select(['id', 'name']).where('id', 'in', some).execute();
    for (const { id, name } of groups) names.set(id, name);
  }
  return names;
};

/** The records of these rows, in their order. */
export const withTags = async (
  db: Kysely<Schema>,
  rows: readonly Selectable<MachineRow>[],
): Promise<readonly MachineRecord[]> => {
  const tags = new Map<MachineId, string[]>();
  for (let start = 0; start < rows.length; start += IDS_PER_QUERY) {
    const ids = rows.slice(start, start + IDS_PER_QUERY).map((row) => row.id);
    for (const row of await db
      .selectFrom('machine_tags')
      .selectAll()
      .where('machine_id', 'in', ids)
      .orderBy('tag')
      .execute()) {
      const known = tags.get(row.machine_id);
      if (known === undefined) tags.set(row.machine_id, [row.tag]);
      else known.push(row.tag);
    }
  }
  const names = await groupNames(db, rows);
  return rows.map((row) =>
    machineRecord(row, { tags: tags.get(row.id) ?? [], groupName: names.get(row.group_id ?? 0) }),
  );
};

/** The columns that a device tells of itself. */
export const factColumns = (facts: DeviceFacts, externalIp: string | null) => ({
  dns_name: facts.computerDnsName,
  os_platform: facts.osPlatform,
  os_version: facts.osVersion,
  os_processor: facts.osProcessor,
  os_build: facts.osBuild,
  os_architecture: facts.osArchitecture,
  version: facts.version,
  agent_version: facts.agentVersion,
  aad_device_id: facts.aadDeviceId,
  last_ip: facts.ipAddresses[0]?.ipAddress ?? null,
  last_external_ip: externalIp,
  ip_addresses: JSON.stringify(facts.ipAddresses),
});

type Seen = { readonly machineId: MachineId; readonly addresses: readonly string[]; readonly now: number };

const insertAddresses = preparedList((db, rows: readonly Schema['machine_addresses'][]) =>
  db
    .insertInto('machine_addresses')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['machine_id', 'address']).doUpdateSet((eb) => ({ last_seen: eb.ref('excluded.last_seen') })),
    ),
);

/** Remembers which addresses machines had, and when: for `findbyip`. Each machine is there once. */
export const rememberAddresses = async (db: Kysely<Schema>, seen: readonly Seen[]): Promise<void> => {
  const rows = seen.flatMap(({ machineId, addresses, now }) =>
    [...new Set(addresses)].map((address) => ({ machine_id: machineId, address, first_seen: now, last_seen: now })),
  );
  for (const part of partsOf(rows)) await insertAddresses(db, part, {});
};
