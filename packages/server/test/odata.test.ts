/** OData over HTTP, on real rows of both collections: every form that clients of the original send (wire contract 1.11). */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { PAGE_ROWS } from '@longarm/contract/limits';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: 'x' }] };

const write = (server: TestServer, sql: string, ...values: readonly (string | number)[]) => {
  const database = new Database(join(server.dataFolder, 'store.db'));
  database.run('pragma busy_timeout = 5000');
  database.query(sql).run(...values);
  database.close();
};

let server: TestServer;
/** Name → id of machines, and of the actions `old`, `middle` and `new`. */
const ids = new Map<string, string>();
const idOf = (name: string): string => ids.get(name) ?? `no id of ${name}`;
const nameOf = (id: string): string => [...ids].find(([, known]) => known === id)?.[0] ?? id;

const enrolAll = async () => {
  const { token } = await server.admin.call('createEnrolToken', { tags: ['Lab'], maxUses: null, validHours: null });
  for (const name of ['alpha.lab', "o'brien", 'gamma']) {
    const device = await ScriptedDevice.enrol({
      server: server.url,
      enrolToken: name === 'gamma' ? server.enrolToken : token,
      name,
      facts: {
        osPlatform: name === 'gamma' ? 'Windows' : 'Linux',
        version: name === 'gamma' ? '22H2' : '12',
        ipAddresses:
          name === 'gamma' ? [] : [{ ipAddress: '10.0.0.5', macAddress: null, type: 'E', operationalStatus: 'Up' }],
      },
    });
    ids.set(name, device.machineId);
  }
  write(server, 'update machines set last_seen = ? where id = ?', Date.UTC(2026, 0, 15), idOf('gamma'));
};

const requestAll = async () => {
  for (const [name, machine, comment] of [
    // not in the order of their moments, which are made below
    ['middle', "o'brien", 'case 2'],
    ['old', 'alpha.lab', 'case 1'],
    ['new', 'gamma', 'other'],
  ] as const) {
    const body = { Commands: [GET_FILE], Comment: comment };
    const { json } = await server.api.post(`/api/machines/${idOf(machine)}/runliveresponse`, body);
    ids.set(name, json.id);
  }
  await server.api.post(`/api/machineactions/${idOf('middle')}/cancel`, { Comment: 'x' });
  write(server, 'update actions set created_at = ? where id = ?', Date.UTC(2026, 0, 1), idOf('old'));
  write(server, 'update actions set created_at = ? where id = ?', Date.UTC(2026, 1, 1, 12, 30), idOf('middle'));
};

beforeAll(async () => {
  server = await startTestServer();
  await enrolAll();
  await requestAll();
});
afterAll(() => server.stop());

const page = async (collection: string, query: string) => {
  const { status, json, text } = await server.api.call(`/api/${collection}?${query}`);
  if (status !== 200) throw new Error(text);
  return json;
};
/** Names of what the query finds, in the order of the answer. */
const found = async (collection: string, query: string): Promise<readonly string[]> =>
  (await page(collection, query)).value.map((entity: { id: string }) => nameOf(entity.id));
const filtered = (collection: string, filter: string, rest = '') =>
  found(collection, `$filter=${encodeURIComponent(filter)}${rest}`);

describe('machineactions', () => {
  const cases: readonly (readonly [() => string, readonly string[]])[] = [
    [() => `machineId eq '${idOf('alpha.lab')}' and status eq 'Pending'`, ['old']],
    [() => `machineId eq '${idOf('alpha.lab').toUpperCase()}'`, ['old']],
    [() => `machineId eq '${idOf("o'brien")}' and (status eq 'Pending' or status eq 'InProgress')`, []],
    [() => 'CreationDateTimeUtc ge 2026-01-15T00:00:00Z', ['new', 'middle']],
    [() => 'creationDateTimeUtc le 2026-01-01', ['old']],
    [() => 'creationDateTimeUtc lt 2026-02-01T12:30:00.0000000Z', ['old']],
    [() => 'creationDateTimeUtc eq 2026-02-01T13:30:00+01:00', ['middle']],
    [() => `id in ('${idOf('old')}','${idOf('new')}') AND status eq 'Pending'`, ['new', 'old']],
    [() => "status in ('Cancelled', 'Failed')", ['middle']],
    [() => "status ne 'pending'", ['middle']],
    [() => "requestor eq 'Analyst@Example.org' and type eq 'liveResponse'", ['new', 'middle', 'old']],
    [() => "type eq 'RunAntiVirusScan'", []],
    [() => "not (status eq 'Pending')", ['middle']],
    [() => "startswith(requestorComment,'CASE')", ['middle', 'old']],
    [() => "endswith(computerDnsName,'.lab') or contains(computerDnsName,'brien')", ['middle', 'old']],
    [() => "computerDnsName eq 'o''brien'", ['middle']],
    [() => "requestSource eq 'PublicApi' and requestorComment ne null", ['new', 'middle', 'old']],
    [() => "status eq 'Pending' or status eq 'Cancelled' and requestorComment eq 'other'", ['new', 'old']],
  ];
  for (const [filter, expected] of cases) {
    test(`$filter=${filter().replaceAll(/no id of (\w+)/g, '$1')}`, async () => {
      expect(await filtered('machineactions', filter())).toEqual([...expected]);
    });
  }

  test('the newest come first, unless it is asked otherwise', async () => {
    expect(await found('machineactions', '')).toEqual(['new', 'middle', 'old']);
    expect(await found('machineactions', '$orderby=creationDateTimeUtc')).toEqual(['old', 'middle', 'new']);
    expect(await found('machineactions', '$orderby=CreationDateTimeUtc+desc')).toEqual(['new', 'middle', 'old']);
    expect(await found('machineactions', '$orderby=status desc,computerDnsName asc')).toEqual(['old', 'new', 'middle']);
    expect(await found('machineactions', '$orderby=requestorComment asc&$top=1')).toEqual(['old']);
  });

  test('plus and %20 are a space, and options are understood in any case, with and without $', async () => {
    expect(await found('machineactions', "$filter=status+eq+'Cancelled'")).toEqual(['middle']);
    expect(await found('machineactions', "$filter=status%20eq%20'Cancelled'")).toEqual(['middle']);
    expect(await found('machineactions', "%24Filter=status%20eq%20'Cancelled'")).toEqual(['middle']);
    expect(await found('machineactions', 'top=1&SKIP=1')).toEqual(['middle']);
    expect(await found('machineactions', '$expand=evidence&api-version=1')).toHaveLength(3);
  });

  test('$count counts what the filter lets through, whatever the page', async () => {
    const { '@odata.count': count, value } = await page(
      'machineactions',
      "$count=true&$top=1&$skip=0&$orderby=creationDateTimeUtc desc&$filter=status eq 'Pending'",
    );
    expect([count, value.length, nameOf(value[0].id)]).toEqual([2, 1, 'new']);
    const plain = await page('machineactions', '$top=1');
    expect(Object.keys(plain)).toEqual(['@odata.context', 'value']);
    expect(Object.keys(await page('machineactions', '$count=true'))).toEqual([
      '@odata.context',
      '@odata.count',
      'value',
    ]);
    expect((await page('machineactions', '$count=true&$top=0')).value).toEqual([]);
  });

  test('$select answers with what it names, in the entity’s order', async () => {
    const { value } = await page('machineactions', '$select=STATUS,id&$top=1');
    expect(JSON.stringify(value)).toBe(JSON.stringify([{ id: idOf('new'), status: 'Pending' }]));
    expect(Object.keys((await page('machineactions', '$select=*')).value[0]).length).toBeGreaterThan(20);
  });

  test('nothing found is an empty list in compact JSON, context first', async () => {
    const { text } = await server.api.call("/api/machineactions?$filter=status eq 'TimeOut'");
    expect(text).toBe(`{"@odata.context":"${server.url}/api/$metadata#MachineActions","value":[]}`);
  });
});

describe('machines', () => {
  const LAB = ['alpha.lab', "o'brien"];
  const ALL = [...LAB, 'gamma'];
  const cases: Readonly<Record<string, readonly string[]>> = {
    "riskScore eq 'High'": [],
    "riskScore eq 'none'": ALL,
    "healthStatus ne 'Active'": ['gamma'],
    "onboardingStatus eq 'Onboarded' and healthStatus eq 'Active'": LAB,
    'lastSeen gt 2026-01-16Z': LAB,
    'lastSeen lt 2026-01-16': ['gamma'],
    "startswith(computerDnsName,'ALPHA')": ['alpha.lab'],
    "startswith(computerDnsName,'o''brien')": ["o'brien"],
    "startswith(computerDnsName,'%')": [],
    "machineTags/any(tag: tag eq 'Lab')": LAB,
    "machineTags/any(t: t eq 'lab')": LAB,
    "machineTags/any(t: startswith(t,'L'))": LAB,
    'not machineTags/any()': ['gamma'],
    'rbacGroupId eq 0 and lastSeen gt 2026-01-16T00:00:00Z': LAB,
    'rbacGroupId eq 3': [],
    "(computerDnsName eq 'gamma') or (lastIpAddress eq '10.0.0.5')": ALL,
    'lastIpAddress eq null': ['gamma'],
    'aadDeviceId ne null': [],
    'isOnline eq false': ALL,
    'isOnline eq true': [],
    "osPlatform eq 'windows'": ['gamma'],
    "osPlatform in ('Linux','macOS')": LAB,
    "version eq '22h2'": ['gamma'],
    "deviceValue eq 'Normal' and exposureLevel eq 'None' and rbacGroupName eq null": ALL,
    "computerDnsName eq 'x'' or 1 eq 1'": [],
  };
  for (const [filter, expected] of Object.entries(cases)) {
    test(`$filter=${filter}`, async () => {
      expect((await filtered('machines', filter)).toSorted()).toEqual(expected.toSorted());
    });
  }

  test('$orderby, $top, $skip, $select and $count together', async () => {
    expect(await found('machines', '$orderby=computerDnsName desc')).toEqual(["o'brien", 'gamma', 'alpha.lab']);
    expect(await found('machines', '$orderby=computerDnsName&$skip=1&$top=1')).toEqual(['gamma']);
    const { value, '@odata.count': count } = await page(
      'machines',
      '$select=id,computerDnsName,osPlatform&$top=1&$count=true&$orderby=lastSeen',
    );
    expect([count, value]).toEqual([3, [{ id: idOf('gamma'), computerDnsName: 'gamma', osPlatform: 'Windows' }]]);
    expect(await found('machines', '$skip=3')).toEqual([]);
  });
});

describe('a collection of more than a page', () => {
  let large: TestServer;
  const MANY = PAGE_ROWS + 5;
  beforeAll(async () => {
    large = await startTestServer();
    await large.absentDevice('first');
    // the rows are copies of the real one: what differs is the key and the name
    const own: Readonly<Record<string, string>> = {
      id: "printf('%040x', value)",
      dns_name: "printf('host%05d', value)",
    };
    const columns = storeRows(large.dataFolder, "select name from pragma_table_info('machines')").map(({ name }) => {
      return own[String(name)] ?? String(name);
    });
    write(
      large,
      `with recursive counted(value) as (select 1 union all select value + 1 from counted where value < ?)
       insert into machines select ${columns.join(', ')} from machines, counted`,
      MANY - 1,
    );
  });
  afterAll(() => large.stop());

  test('has a link to the rest, absolute and with the other options, and the rest has none', async () => {
    const query = `$select=computerDnsName&$orderby=computerDnsName desc&$filter=${encodeURIComponent("startswith(computerDnsName,'host')")}`;
    const { json: first } = await large.api.call(`/API/Machines?${query}&$count=true`);
    expect([first.value.length, first['@odata.count']]).toEqual([PAGE_ROWS, MANY - 1]);
    expect(Object.keys(first)).toEqual(['@odata.context', '@odata.count', 'value', '@odata.nextLink']);
    const link: string = first['@odata.nextLink'];
    expect(link).toStartWith(`${large.url}/API/Machines?`);
    const { json: rest } = await large.api.call(link.slice(large.url.length));
    expect(rest.value.map((machine: { computerDnsName: string }) => machine.computerDnsName)).toEqual([
      'host00004',
      'host00003',
      'host00002',
      'host00001',
    ]);
    expect(rest['@odata.nextLink']).toBeUndefined();
    expect(first.value.at(-1)).toEqual({ computerDnsName: 'host00005' });
  });

  test('has none when the caller asked for no more', async () => {
    const { json } = await large.api.call(`/api/machines?$top=${PAGE_ROWS}&$select=id`);
    expect([json.value.length, json['@odata.nextLink']]).toEqual([PAGE_ROWS, undefined]);
    const { json: rest } = await large.api.call(`/api/machines?$skip=${MANY - PAGE_ROWS}&$select=id`);
    expect([rest.value.length, rest['@odata.nextLink']]).toEqual([PAGE_ROWS, undefined]);
  });
});
