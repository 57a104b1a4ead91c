/** A store that holds as much as is asked for, filled by SQL, and the calls of its ports that everything waits for. */
import { Database } from 'bun:sqlite';
import { ACTION_STATUSES } from '@longarm/contract/action';
import { parseCommand } from '@longarm/contract/commands/index';
import { ActionId, ApplicationId, MachineId, TenantId } from '@longarm/contract/ids';
import { ACTION_FIELDS } from '@longarm/contract/odata/fields';
import { parseCollectionQuery } from '@longarm/server/api/odata/parse-collection-query';
import type { SqliteConnection } from '@longarm/server/store/bun-sqlite-dialect';
import { migrate, storeOver } from '@longarm/server/store/open-store';

export type Fill = {
  readonly machines: number;
  readonly actions: number;
  /** Of the actions, the last so many wait, each on a machine of its own. */
  readonly waiting: number;
};

const TENANT = TenantId.parse('11111111-1111-4111-8111-111111111111');
const START_MS = Date.UTC(2026, 0, 1);
const SENT = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
const FINAL = ACTION_STATUSES.filter((status) => status !== 'Pending' && status !== 'InProgress');
const machineId = (index: number) => MachineId.parse(index.toString(16).padStart(40, '0'));
const actionId = (index: number) => ActionId.parse(`00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`);

const insertMachines = `
  with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < $machines)
  insert into machines (id, tenant_id, public_key, hardware_id, dns_name, os_platform, os_processor, os_architecture, version,
    agent_version, ip_addresses, first_seen, last_seen, envelope_counter, session_id)
  select printf('%040x', i), $tenant, 'x', printf('%064x', i), 'host' || i, 'Linux', 'x64', '64-bit', '12', '1', '[]',
    $start, $start, 0, case when i % 5 = 0 then 'session' || i end from n`;

const insertActions = `
  with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < $actions)
  insert into actions (id, tenant_id, machine_id, computer_dns_name, type, requestor, comment, source, status, created_at, updated_at,
    queue_deadline, run_ms, holds_slot)
  select printf('00000000-0000-4000-8000-%012x', i), $tenant, printf('%040x', i % $machines), 'host' || (i % $machines), 'LiveResponse',
    'analyst' || (i % 7) || '@example.org', 'case ' || (i % 1000), 'PublicApi',
    case when i >= $actions - $waiting then 'Pending' else json_extract($final, '$[' || (i % ${FINAL.length}) || ']') end,
    $start + i * 1000, $start + i * 1000, $start + i * 1000 + 1e12, 3600000, 0 from n`;

const insertCommands = `
  insert into commands (action_id, idx, type, sent, parsed, time_limit_seconds, status, errors)
  select id, 0, 'GetFile', $sent, $parsed, 1800, case status when 'Pending' then 'Created' else 'Completed' end, '[]' from actions`;

const fill = (database: Database, { machines, actions, waiting }: Fill): void => {
  database.run('insert into tenants (id, name, created_at) values (?, ?, ?)', [TENANT, 'default', START_MS]);
  const start = START_MS;
  database.prepare(insertMachines).run({ machines, tenant: TENANT, start });
  const final = JSON.stringify(FINAL);
  database.prepare(insertActions).run({ actions, machines, waiting, tenant: TENANT, start, final });
  const parsed = JSON.stringify(parseCommand(SENT, 0));
  database.prepare(insertCommands).run({ sent: JSON.stringify(SENT), parsed });
};

const openDatabase = (path: string): Database => {
  const database = new Database(path, { create: true, strict: true });
  for (const pragma of ['journal_mode = wal', 'synchronous = full', 'foreign_keys = on'])
    database.run(`pragma ${pragma}`);
  return database;
};

/** The connection, and what it was asked to prepare. */
const heard = (database: Database, statements: Set<string>): SqliteConnection => ({
  prepare: (text) => {
    statements.add(text);
    return database.prepare(text);
  },
  close: () => database.close(),
});

/** Documented filters and orders of the action list, each a page of a hundred. */
const LISTS: Readonly<Record<string, string>> = {
  all: '',
  id: `id eq ${actionId(5)}`,
  status: "status eq 'Succeeded'",
  waiting: "status eq 'Pending'",
  'a status that none has': "status eq 'InProgress'",
  'status of a machine': `machineId eq '${machineId(3)}' and status eq 'Pending'`,
  machineId: `machineId eq '${machineId(3)}'`,
  type: "type eq 'LiveResponse'",
  requestor: "requestor eq 'analyst3@example.org'",
  'somebody who asked for nothing': "requestor eq 'nobody'",
  creationDateTimeUtc: 'creationDateTimeUtc ge 2026-01-01T00:01:00Z',
  lastUpdateDateTimeUtc: 'lastUpdateDateTimeUtc ge 2026-01-01T00:01:00Z',
  computerDnsName: "computerDnsName eq 'host3'",
  /** Beyond what the original documents: it walks. */
  'requestorComment (walks)': "requestorComment eq 'case 5'",
  requestSource: "requestSource eq 'PublicApi'",
};

const queryOf = (filter: string) => {
  const params = new URLSearchParams(filter === '' ? { $top: '100' } : { $top: '100', $filter: filter });
  return parseCollectionQuery(params, { fields: ACTION_FIELDS, properties: [] });
};

export const openFilledStore = async (path: string, size: Fill) => {
  const database = openDatabase(path);
  await migrate(heard(database, new Set()));
  fill(database, size);
  const statements = new Set<string>();
  const reader = openDatabase(path);
  const connections = { writer: heard(database, statements), reader: heard(reader, statements) };
  const terms = { maxGetBytes: 1, maxOutputBytes: 1, stopOnNonzeroExit: false };
  // a unit signs by itself; what it signs is not what is looked at here
  const sign = (payload: object) => `x.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.x`;
  let now = START_MS + size.actions * 1_000;
  const store = storeOver(connections, { clock: { now: () => now }, envelopes: { sign, terms } });
  const reach = { tenantId: TENANT, deviceGroups: 'all' } as const;
  const command = { sent: SENT, command: parseCommand(SENT, 0), timeLimitSeconds: 1_800 };
  const requester = { principal: 'bench', applicationId: ApplicationId.parse(TENANT), name: 'bench' };
  let next = 0;
  const request = (machine: number) =>
    store.actions.request({
      ...{
        id: ActionId.parse(crypto.randomUUID()),
        ...reach,
        machineId: machineId(machine),
        requestor: 'bench',
        requester,
      },
      ...{
        caller: 'bench',
        comment: '',
        origin: { address: null, requestId: null },
        commands: [command],
        idempotency: null,
        now: now++,
      },
      ...{ queueMs: 1e12, runMs: 3_600_000, maxUnfinishedPerMachine: 1, claimFor: null, maxSessions: 1e9 },
    });
  const claim = (machine: number) =>
    store.actions.claimNext({ machineId: machineId(machine), now, leaseMs: 0, maxSessions: 1e9 });
  const calls: Record<string, () => Promise<unknown>> = {
    'find the machine': () => store.machines.resolve(reach, machineId(3)),
    // of machines that do not wait, one after another
    request: () => request(next++),
    claim: () => claim(next - 1),
    'one action': () => store.actions.get(reach, actionId(5)),
    sweep: () => store.actions.expireOverdue(START_MS, 100),
    'machines to serve': () => store.actions.machinesToServe(now, 100),
    'unconfirmed cancels': () => store.actions.unconfirmedCancels(100),
  };
  for (const [name, filter] of Object.entries(LISTS))
    calls[`list, ${name}`] = () => store.actions.list(reach, queryOf(filter));
  return {
    calls,
    /** Statements that were prepared by now. */
    statements: (): readonly string[] => [...statements],
    /** How SQLite would run the statement, a line a step. */
    planOf: (statement: string): readonly string[] => {
      // on a connection of its own: one that was explained stays open on its connection
      const aside = new Database(path, { readonly: true });
      const steps = aside.query<{ readonly detail: string }, []>(`explain query plan ${statement}`).all();
      aside.close();
      return steps.map(({ detail }) => detail);
    },
    close: store.close,
  };
};
