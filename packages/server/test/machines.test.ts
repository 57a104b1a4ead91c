/** Machines over HTTP: how they are found, what they tell, and their tags (wire contract 1.9, semantics 25). */
import { Database } from 'bun:sqlite';
import { afterEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { DeviceFacts } from '@longarm/contract/wire/facts';
import type { Json } from '@longarm/testkit/api-caller';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { storeRows } from './store-rows.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AAD = '4899036c-2241-4f62-9d3d-8fd0bd0a1b2c';

const servers: TestServer[] = [];
const newServer = async (...flags: string[]): Promise<TestServer> => {
  const server = await startTestServer(flags);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const enrol = (server: TestServer, name: string, facts: Partial<DeviceFacts> = {}) =>
  ScriptedDevice.enrol({ server: server.url, enrolToken: server.enrolToken, name, facts });
const get = (server: TestServer, text: string) => server.api.call(`/api/machines/${encodeURIComponent(text)}`);
const idsOf = (answer: { readonly json: Json }): readonly string[] =>
  answer.json.value.map((machine: { id: string }) => machine.id);
/** Makes the past: what a test cannot wait for. */
const rewrite = (server: TestServer, sql: string, ...values: readonly (string | number)[]) => {
  const database = new Database(join(server.dataFolder, 'store.db'));
  database.run('pragma busy_timeout = 5000');
  database.query(sql).run(...values);
  database.close();
};

describe('one machine', () => {
  test('is found by id, by DNS name and by aadDeviceId, in any case', async () => {
    const server = await newServer();
    const { machineId } = await enrol(server, 'Host1.Lab.Example', { aadDeviceId: AAD });
    await enrol(server, 'other');
    for (const text of [machineId, machineId.toUpperCase(), 'host1.LAB.example', AAD, AAD.toUpperCase()])
      expect([text, (await get(server, text)).json.id]).toEqual([text, machineId]);
    for (const text of ['host1', 'host1.lab.example.', '%', machineId.slice(0, 39)])
      expect([text, (await get(server, text)).json.error.code]).toEqual([text, 'ResourceNotFound']);
  });

  test('may have a name beyond ASCII, and is found by it', async () => {
    const server = await newServer();
    const { machineId } = await enrol(server, 'BÜRO-PC');
    expect((await get(server, 'BÜRO-PC')).json.id).toBe(machineId);
    expect((await get(server, 'bÜro-pc')).json.id).toBe(machineId);
  });

  test('of a name that several have is refused, naming their ids', async () => {
    const server = await newServer();
    const [one, other] = [await enrol(server, 'twin'), await enrol(server, 'TWIN')];
    const { status, json } = await get(server, 'Twin');
    expect([status, json.error.code]).toEqual([400, 'InvalidInput']);
    expect(json.error.message).toContain('2 machines are called Twin');
    expect(json.error.message).toContain(one.machineId);
    expect(json.error.message).toContain(other.machineId);
    const run = await server.api.post('/api/machines/twin/runliveresponse', {
      Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: 'x' }] }],
    });
    expect([run.status, run.json.error.code]).toEqual([400, 'InvalidInput']);
  });

  test('whose name is an id of another is the other, by that id', async () => {
    const server = await newServer();
    const first = await enrol(server, 'first');
    await enrol(server, first.machineId);
    expect((await get(server, first.machineId)).json.computerDnsName).toBe('first');
  });

  test('tells what the device told, in the documented order of keys', async () => {
    const server = await newServer();
    const ipAddresses = [
      { ipAddress: '10.1.2.3', macAddress: '020000000005', type: 'Ethernet', operationalStatus: 'Up' },
      { ipAddress: 'fe80::1', macAddress: null, type: 'Wifi', operationalStatus: 'Down' },
    ];
    const facts = { osPlatform: 'Windows', osVersion: '10.0', osBuild: 22631, aadDeviceId: AAD, ipAddresses } as const;
    const device = await enrol(server, 'told', facts);
    await device.connect();
    const { json } = await get(server, device.machineId);
    expect(Object.keys(json).slice(0, 8)).toEqual([
      '@odata.context',
      'id',
      'mergedIntoMachineId',
      'isPotentialDuplication',
      'isExcluded',
      'exclusionReason',
      'computerDnsName',
      'firstSeen',
    ]);
    expect(json).toMatchObject({
      '@odata.context': `${server.url}/api/$metadata#Machines/$entity`,
      osPlatform: 'Windows',
      osVersion: '10.0',
      osBuild: 22631,
      aadDeviceId: AAD,
      isAadJoined: true,
      lastIpAddress: '10.1.2.3',
      lastExternalIpAddress: '127.0.0.1',
      ipAddresses,
      machineTags: [],
      onboardingStatus: 'Onboarded',
      vmMetadata: null,
    });
  });

  test('is online while it is connected, and active for seven days after', async () => {
    const server = await newServer();
    const device = await enrol(server, 'here');
    const look = async () => {
      const { isOnline, healthStatus } = (await get(server, device.machineId)).json;
      return [isOnline, healthStatus];
    };
    expect(await look()).toEqual([false, 'Active']);
    await device.connect();
    expect(await look()).toEqual([true, 'Active']);
    await device.disconnect();
    const deadline = performance.now() + 5_000;
    while ((await look())[0] !== false && performance.now() < deadline)
      await new Promise((resolve) => setImmediate(resolve));
    expect(await look()).toEqual([false, 'Active']);
    rewrite(server, 'update machines set last_seen = ?', Date.now() - 7 * DAY_MS + MINUTE_MS);
    expect(await look()).toEqual([false, 'Active']);
    rewrite(server, 'update machines set last_seen = ?', Date.now() - 7 * DAY_MS - MINUTE_MS);
    expect(await look()).toEqual([false, 'Inactive']);
    expect(idsOf(await server.api.call("/api/machines?$filter=healthStatus eq 'inactive'"))).toEqual([
      device.machineId,
    ]);
    expect(idsOf(await server.api.call("/api/machines?$filter=healthStatus eq 'Active'"))).toEqual([]);
  });

  test('has no users here, but a machine that is not there has not even none', async () => {
    const server = await newServer();
    const { machineId } = await enrol(server, 'users');
    const admin = await server.admin.call('createApplication', { name: 'users', roles: ['User.Read.All'] });
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
    });
    const told = await fetch(`${server.url}/default/oauth2/token`, { method: 'POST', body });
    const headers = { authorization: `Bearer ${JSON.parse(await told.text()).access_token}` };
    const users = await server.api.call(`/api/machines/${machineId}/logonusers`, { headers });
    expect([users.status, users.json.value]).toEqual([200, []]);
    expect((await server.api.call('/api/machines/nobody/logonusers', { headers })).status).toBe(404);
  });
});

describe('findbyip', () => {
  const find = (server: TestServer, ip: string, timestamp: string) =>
    server.api.call(`/api/machines/findbyip(ip=${encodeURIComponent(ip)},timestamp=${encodeURIComponent(timestamp)})`);
  const at = (moment: number) => new Date(moment).toISOString();

  test('finds who had the address within 15 minutes of the moment, at the edge and not past it', async () => {
    const server = await newServer();
    const { machineId } = await enrol(server, 'seen');
    const [first, last] = [Date.now() - 3 * DAY_MS, Date.now() - 2 * DAY_MS];
    rewrite(server, 'update machine_addresses set first_seen = ?, last_seen = ?', first, last);
    const edge = 15 * MINUTE_MS;
    const moments: readonly (readonly [number, readonly string[]])[] = [
      [first - edge - 1, []],
      [first - edge, [machineId]],
      [first + DAY_MS / 2, [machineId]],
      [last + edge, [machineId]],
      [last + edge + 1, []],
    ];
    for (const [moment, expected] of moments)
      expect([moment, idsOf(await find(server, "'10.0.0.5'", at(moment)))]).toEqual([moment, expected]);
    expect(idsOf(await find(server, "'10.0.0.6'", at(last)))).toEqual([]);
    expect(idsOf(await find(server, '10.0.0.5', `'${at(last)}'`))).toEqual([machineId]);
    const { json } = await find(server, '10.0.0.5', at(last));
    expect(Object.keys(json)).toEqual(['@odata.context', 'value']);
    expect(json['@odata.context']).toBe(`${server.url}/api/$metadata#Machines`);
  });

  test('knows the address that a connection came from, and IPv6', async () => {
    const server = await newServer();
    const ipAddresses = [{ ipAddress: 'fd00::5', macAddress: null, type: 'Ethernet', operationalStatus: 'Up' }];
    const device = await enrol(server, 'six', { ipAddresses });
    await device.connect();
    expect(idsOf(await find(server, "'fd00::5'", at(Date.now())))).toEqual([device.machineId]);
    expect(idsOf(await find(server, "'127.0.0.1'", at(Date.now())))).toEqual([device.machineId]);
  });

  test('takes moments within 30 days, in UTC unless they say otherwise, and days that there are', async () => {
    const server = await newServer();
    await enrol(server, 'x');
    const now = Date.now();
    const local = at(now).replace('Z', '');
    const zone = process.env.TZ;
    process.env.TZ = 'Asia/Tokyo';
    try {
      expect(idsOf(await find(server, "'10.0.0.5'", local)).length).toBe(1);
    } finally {
      process.env.TZ = zone ?? 'UTC';
    }
    expect((await find(server, "'10.0.0.5'", at(now - 30 * DAY_MS + MINUTE_MS))).status).toBe(200);
    expect((await find(server, "'10.0.0.5'", '2026-11-24T00:16:32.7613456Z')).status).not.toBe(500);
    for (const text of [
      at(now - 30 * DAY_MS - MINUTE_MS),
      `${now}`,
      'yesterday',
      `${at(now).slice(0, 5)}02-30T00:00:00Z`,
    ]) {
      const { status, json } = await find(server, "'10.0.0.5'", text);
      expect([text, status, json.error.code]).toEqual([text, 400, 'InvalidInput']);
      expect(json.error.message).toStartWith('timestamp: expected');
    }
    const noMoment = await find(server, "'10.0.0.5'", '2026-02-30');
    expect(noMoment.json.error.message).toContain('expected a moment');
    for (const ip of ['10.0.0', "'10.0.0.5' or 1", '::g', ''])
      expect([ip, (await find(server, `'${ip}'`, at(now))).json.error.code]).toEqual([ip, 'InvalidIpAddress']);
  });
});

describe('tags', () => {
  const change = (server: TestServer, id: string, action: string, tag: string) =>
    server.api.post(`/api/machines/${id}/tags`, { Value: tag, Action: action });
  const find = (server: TestServer, query: string) => server.api.call(`/api/machines/findbytag?${query}`);

  test('are added once, removed, and answered with the machine', async () => {
    const server = await newServer();
    const { machineId } = await enrol(server, 'tagged');
    const added = await change(server, 'TAGGED', 'Add', 'lab');
    expect([added.status, added.json.id, added.json.machineTags]).toEqual([200, machineId, ['lab']]);
    expect(added.json['@odata.context']).toBe(`${server.url}/api/$metadata#Machines/$entity`);
    expect((await change(server, machineId, 'Add', 'lab')).json.machineTags).toEqual(['lab']);
    expect((await change(server, machineId, 'Add', 'a')).json.machineTags).toEqual(['a', 'lab']);
    expect((await change(server, machineId, 'Remove', 'lab')).json.machineTags).toEqual(['a']);
    expect((await change(server, machineId, 'Remove', 'never there')).json.machineTags).toEqual(['a']);
    const lower = await server.api.post(`/api/machines/${machineId}/tags`, { value: 'b', action: 'Add' });
    expect(lower.json.machineTags).toEqual(['a', 'b']);
    expect((await change(server, 'nobody', 'Add', 'x')).status).toBe(404);
    const rows = storeRows(server.dataFolder, "select * from audit where event like 'machine.tag.%' order by seq");
    expect(rows[0]).toMatchObject({ event: 'machine.tag.Add', actor: 'analyst@example.org', subject: machineId });
  });

  test('at most 200 characters', async () => {
    const server = await newServer();
    const { machineId } = await enrol(server, 'x');
    expect((await change(server, machineId, 'Add', 't'.repeat(200))).status).toBe(200);
    expect((await change(server, machineId, 'Add', 't'.repeat(201))).json.error.code).toBe('InvalidInput');
  });

  test('find machines, whole or by their beginning; % and _ are only themselves', async () => {
    const server = await newServer();
    const tagged = async (name: string, ...tags: readonly string[]) => {
      const { machineId } = await enrol(server, name);
      for (const tag of tags) await change(server, machineId, 'Add', tag);
      return machineId;
    };
    const percent = await tagged('percent', '100%', 'both');
    const plain = await tagged('plain', '100 of them', 'both');
    const under = await tagged('under', 'a_b', '😀x');
    await tagged('letter', 'axb');
    const found = async (query: string) => idsOf(await find(server, query)).toSorted();
    expect(await found('tag=100%25')).toEqual([percent]);
    expect(await found('tag=100%25&useStartsWithFilter=true')).toEqual([percent]);
    expect(await found('tag=100&useStartsWithFilter=True')).toEqual([percent, plain].toSorted());
    expect(await found('tag=100')).toEqual([]);
    expect(await found('tag=100&useStartsWithFilter=false')).toEqual([]);
    expect(await found('TAG=both')).toEqual([percent, plain].toSorted());
    expect(await found('tag=a_&useStartsWithFilter=true')).toEqual([under]);
    expect(await found(`tag=${encodeURIComponent('😀')}&useStartsWithFilter=true`)).toEqual([under]);
    expect(await found(`tag=${encodeURIComponent("' or '1'='1")}`)).toEqual([]);
  });

  test('of the enrolment token are the machine’s from the start', async () => {
    const server = await newServer();
    const { token } = await server.admin.call('createEnrolToken', {
      tags: ['site-b', 'lab', 'lab'],
      maxUses: null,
      validHours: null,
    });
    const device = await ScriptedDevice.enrol({ server: server.url, enrolToken: token, name: 'x' });
    expect((await get(server, device.machineId)).json.machineTags).toEqual(['lab', 'site-b']);
  });
});
