/** Two tenants and their device groups, and callers of every kind: what the tests of permissions look at. */
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { TenantId } from '@longarm/contract/ids';
import { ensureTokenKey } from '@longarm/server/auth/token-keys';
import { ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { SignJWT } from 'jose';

/** Where a thing is, seen from a caller that is limited to the group North of the first tenant. */
export const PLACES = ['own group', 'other group', 'no group', 'other tenant'] as const;
export type Place = (typeof PLACES)[number];

export type Placed = { readonly machineId: string; readonly actionId: string };

export type Answer = { readonly status: number; readonly text: string };

export type PermissionWorld = {
  readonly server: TestServer;
  readonly placed: Readonly<Record<Place, Placed>>;
  /** Applications without roles that matter: tokens are signed with what a test wants. */
  readonly applications: Readonly<Record<'unlimited' | 'limited' | 'second' | 'foreign', string>>;
  /** A token of the server's own key with these claims. */
  readonly token: (applicationId: string, claims: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly call: (token: string, call: Call) => Promise<Answer>;
};

export type Call = { readonly method: string; readonly path: string; readonly body?: string | FormData };

const OTHER_TENANT = TenantId.parse('0e000000-0000-4000-8000-00000000000e');
const FOREIGN_APPLICATION = '0f000000-0000-4000-8000-00000000000f';

/** A second tenant with an application, a group of the same name as ours, and the enrolment token handed over to it. */
const addTenant = (dataFolder: string, enrolTokenId: string): void => {
  const database = new Database(join(dataFolder, 'store.db'));
  database.run('pragma busy_timeout = 5000');
  database.run(`insert into tenants (id, name, created_at) values ('${OTHER_TENANT}', 'other', 9e14)`);
  database.run(
    `insert into applications (id, tenant_id, name, secret_sha256, roles, created_at)
     values ('${FOREIGN_APPLICATION}', '${OTHER_TENANT}', 'foreigner', 'x', '[]', 0)`,
  );
  database.run(
    `insert into device_groups (tenant_id, name, name_key, live_response, approval, created_at)
     values ('${OTHER_TENANT}', 'North', 'north', 1, 0, 0)`,
  );
  database.run(
    `update enrol_tokens set tenant_id = '${OTHER_TENANT}', group_id = (select max(id) from device_groups)
     where id = '${enrolTokenId}'`,
  );
  database.close();
};

const enrolTokenFor = (server: TestServer, group: string | null) => {
  const limits = group === null ? {} : { group };
  const request = { tags: ['fleet'], maxUses: null, validHours: null, ...limits };
  return server.admin.call('createEnrolToken', request);
};

const enrol = (server: TestServer, enrolToken: string, name: string) =>
  ScriptedDevice.enrol({ server: server.url, enrolToken, name });

const scriptForm = (name: string): FormData => {
  const form = new FormData();
  form.append('file', new File(['x'], name));
  return form;
};

const COMMANDS = [
  { type: 'RunScript', params: [{ key: 'ScriptName', value: 'placed.sh' }] },
  { type: 'GetFile', params: [{ key: 'Path', value: 'x' }] },
];

const POWERS = ['Machine.LiveResponse', 'Machine.ReadWrite.All', 'Library.Manage'];

export const startPermissionWorld = async (): Promise<PermissionWorld> => {
  const server = await startTestServer();
  const { admin } = server;
  for (const name of ['North', 'South'])
    await admin.call('createDeviceGroup', { name, liveResponse: true, approval: false });
  const newApplication = async (name: string, limits: { readonly deviceGroups?: string[] } = {}) =>
    await admin.call('createApplication', { name, roles: ['Machine.Read.All'], ...limits });
  const unlimited = await newApplication('unlimited');
  const limited = await newApplication('limited', { deviceGroups: ['north'] });
  const second = await newApplication('second');
  const applications = {
    unlimited: unlimited.clientId,
    limited: limited.clientId,
    second: second.clientId,
    foreign: FOREIGN_APPLICATION,
  };
  const foreignToken = await enrolTokenFor(server, null);
  addTenant(server.dataFolder, foreignToken.id);
  const enrolTokens: Readonly<Record<Place, string>> = {
    'own group': (await enrolTokenFor(server, 'North')).token,
    'other group': (await enrolTokenFor(server, 'SOUTH')).token,
    'no group': (await enrolTokenFor(server, null)).token,
    'other tenant': foreignToken.token,
  };
  const key = await ensureTokenKey(join(server.dataFolder, 'keys'));
  const token: PermissionWorld['token'] = (appid, claims) =>
    new SignJWT({ appid, tid: appid === FOREIGN_APPLICATION ? OTHER_TENANT : unlimited.tenantId, ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setExpirationTime('1h')
      .sign(key.privateKey);
  const call: PermissionWorld['call'] = async (bearer, { method, path, body }) => {
    const headers = { authorization: `Bearer ${bearer}` };
    const response = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, text: await response.text() };
  };
  const powerful = {
    ours: await token(applications.unlimited, { roles: POWERS }),
    foreign: await token(applications.foreign, { roles: POWERS }),
  };
  /**
   * A machine with an action that is over, so that whoever watches it is answered at once, and with one that is not, so
   * that every further request is refused as busy.
   */
  const place = async (where: Place): Promise<Placed> => {
    const { machineId } = await enrol(server, enrolTokens[where], 'twin.lab.example');
    const bearer = where === 'other tenant' ? powerful.foreign : powerful.ours;
    const body = JSON.stringify({ Commands: COMMANDS });
    const run = async (): Promise<string> => {
      const path = `/api/machines/${machineId}/runliveresponse`;
      return JSON.parse((await call(bearer, { method: 'POST', path, body })).text).id;
    };
    const actionId = await run();
    await call(bearer, { method: 'POST', path: `/api/machineactions/${actionId}/cancel`, body: '{"Comment":"x"}' });
    await run();
    return { machineId, actionId };
  };
  for (const bearer of Object.values(powerful)) {
    const upload = { method: 'POST', path: '/api/libraryfiles', body: scriptForm('placed.sh') };
    await call(bearer, upload);
  }
  await call(powerful.foreign, { method: 'POST', path: '/api/libraryfiles', body: scriptForm('foreign.sh') });
  const placed = {
    'own group': await place('own group'),
    'other group': await place('other group'),
    'no group': await place('no group'),
    'other tenant': await place('other tenant'),
  };
  return { server, placed, applications, token, call };
};
