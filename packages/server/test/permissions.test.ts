/** Who may call what: bearer tokens, application roles, delegated scopes, and signed links (semantics 20, 23, 24). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { ROLES, type Role } from '@longarm/contract/permission';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '@longarm/contract/rest/index';
import { ensureTokenKey } from '@longarm/server/auth/token-keys';
import { apiCaller } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { SignJWT } from 'jose';
import { snapshot } from './store-rows.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';
const READ: readonly Role[] = ['Machine.Read.All', 'Machine.ReadWrite.All'];
const RESPONSE: readonly Role[] = [
  'Machine.LiveResponse',
  'Machine.Isolate',
  'Machine.Scan',
  'Machine.CollectForensics',
  'Machine.RestrictExecution',
  'Machine.StopAndQuarantine',
  'Machine.Offboard',
];

/** Wire contract 1.13, semantics 23; `any` valid token is enough for the neighbours. */
const MAY: Readonly<Record<EndpointName, readonly Role[] | 'any'>> = {
  runLiveResponse: ['Machine.LiveResponse'],
  listMachineActions: READ,
  getMachineAction: READ,
  watchMachineAction: READ,
  watchCommandOutput: ['Machine.LiveResponse', ...READ],
  getResultLink: ['Machine.LiveResponse', ...READ],
  cancelMachineAction: RESPONSE,
  approveMachineAction: ['Machine.Approve'],
  denyMachineAction: ['Machine.Approve'],
  getPackageUri: 'any',
  listLibraryFiles: ['Library.Manage'],
  uploadLibraryFile: ['Library.Manage'],
  downloadLibraryFile: ['Library.Manage'],
  deleteLibraryFile: ['Library.Manage'],
  listMachines: READ,
  getMachine: READ,
  findMachinesByIp: READ,
  findMachinesByTag: READ,
  changeMachineTags: ['Machine.ReadWrite.All'],
  listLogonUsers: ['User.Read.All'],
  unsupportedAction: 'any',
  listAlerts: 'any',
  listIndicators: 'any',
  listMachineGroups: 'any',
};

let server: TestServer;
let claims: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  server = await startTestServer(['--limit', 'link-minutes=0.001']);
  claims = JSON.parse(Buffer.from(server.api.token.split('.')[1] ?? '', 'base64url').toString());
});
afterAll(() => server.stop());

const call = async (authorization: string | null, path = '/api/machines', method = 'GET') => {
  const headers: Record<string, string> = authorization === null ? {} : { authorization };
  const response = await fetch(server.url + path, { method, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? null : JSON.parse(text) };
};

/** A token that the server's own key signed, with other claims than it would issue. */
const signed = async (changes: Readonly<Record<string, unknown>>): Promise<string> => {
  const key = await ensureTokenKey(join(server.dataFolder, 'keys'));
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).sign(key.privateKey);
};

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = () => Math.floor(Date.now() / 1_000);

describe('401', () => {
  const cases: Readonly<Record<string, { readonly says: string; readonly token: () => Promise<string | null> }>> = {
    'no token': { says: 'got none', token: async () => null },
    'another scheme': { says: 'got none', token: async () => 'Basic eDp5' },
    rubbish: { says: 'not valid here', token: async () => 'Bearer rubbish' },
    'a changed token': {
      says: 'not valid here',
      token: async () => {
        const [header, , signature] = server.api.token.split('.');
        return `Bearer ${header}.${encode({ ...claims, roles: ['Library.Manage'] })}.${signature}`;
      },
    },
    'no signature at all': {
      says: 'not valid here',
      token: async () => `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`,
    },
    'the public key taken for a secret': {
      says: 'not valid here',
      token: async () => {
        const { publicJwk } = await ensureTokenKey(join(server.dataFolder, 'keys'));
        const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
        return `Bearer ${input}.${createHmac('sha256', String(publicJwk.n)).update(input).digest('base64url')}`;
      },
    },
    'another server’s key': {
      says: 'not valid here',
      token: async () => {
        const { privateKey } = await ensureTokenKey(join(server.dataFolder, 'other-keys'));
        return `Bearer ${await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)}`;
      },
    },
    'a token that has expired': {
      says: 'has expired',
      token: async () => `Bearer ${await signed({ exp: nowSeconds() - 1 })}`,
    },
    'a token without an end': {
      says: 'not valid here',
      token: async () => `Bearer ${await signed({ exp: undefined })}`,
    },
    'a token for later': {
      says: 'not valid here',
      token: async () => `Bearer ${await signed({ nbf: nowSeconds() + 600, exp: nowSeconds() + 900 })}`,
    },
    'another tenant': { says: 'no longer exists', token: async () => `Bearer ${await signed({ tid: NO_ID })}` },
    'no tenant': { says: 'lacks the claims', token: async () => `Bearer ${await signed({ tid: undefined })}` },
    'an application that is gone': {
      says: 'no longer exists',
      token: async () => {
        const gone = await apiCaller({ server: server.url, admin: server.admin, name: 'gone' });
        expect((await gone.call('/api/machines')).status).toBe(200);
        const { applications } = await server.admin.call('listApplications', {});
        const clientId = applications.find(({ name }) => name === 'gone')?.clientId;
        if (clientId === undefined) throw new Error('the application is not listed');
        expect(await server.admin.call('deleteApplication', { clientId })).toEqual({ deleted: true });
        return `Bearer ${gone.token}`;
      },
    },
  };
  for (const [name, { says, token }] of Object.entries(cases)) {
    test(name, async () => {
      const authorization = await token();
      const before = snapshot(server.dataFolder);
      const { status, headers, json } = await call(authorization);
      expect([status, json.error.code]).toEqual([401, 'Unauthorized']);
      expect(json.error.message).toContain(says);
      expect(headers.get('www-authenticate')).toBe('Bearer');
      expect(headers.get('content-type')).toContain('json');
      expect(snapshot(server.dataFolder)).toBe(before);
    });
  }

  test('comes before 404: a stranger learns nothing of the routes', async () => {
    expect((await call(null, '/api/nothing')).status).toBe(401);
  });
  test('a token of this server’s making passes, whatever the scheme’s case', async () => {
    expect((await call(`bearer ${await signed({ exp: nowSeconds() + 60 })}`)).status).toBe(200);
  });
});

const pathOf = (name: EndpointName): string =>
  ENDPOINTS[name].path
    .replace('{ip}', "'10.0.0.5'")
    .replace('{timestamp}', new Date().toISOString())
    .replace('{index}', '0')
    .replace('{action}', 'isolate')
    .replace('{fileName}', 'none.sh')
    .replace('{id}', NO_ID);

describe('403', () => {
  for (const role of ROLES) {
    test(`${role}, and nothing else`, async () => {
      const { token } = await apiCaller({ server: server.url, admin: server.admin, name: role, roles: [role] });
      const before = snapshot(server.dataFolder);
      for (const name of ENDPOINT_NAMES) {
        const may = MAY[name] === 'any' || MAY[name].includes(role);
        const { status, json } = await call(`Bearer ${token}`, pathOf(name), ENDPOINTS[name].method);
        expect([name, status === 403]).toEqual([name, !may]);
        if (may) continue;
        expect(json.error.code).toBe('Forbidden');
        expect(json.error.message).toContain(MAY[name][0] ?? '');
      }
      expect(snapshot(server.dataFolder)).toBe(before);
    });
  }
});

describe('delegated tokens', () => {
  const roles = ['Data.View', 'LiveResponse.Advanced', 'SecuritySettings.Manage'];
  const person = (scp: string, extra = {}) => signed({ roles, scp, upn: 'ana@example.org', ...extra });
  const status = async (scp: string, name: EndpointName) =>
    (await call(`Bearer ${await person(scp)}`, pathOf(name), ENDPOINTS[name].method)).status;

  test('a scope opens what it names, alone or among others', async () => {
    expect(await status('Machine.Read', 'listMachines')).toBe(200);
    expect(await status('User.Read Machine.ReadWrite', 'listMachines')).toBe(200);
    expect(await status('Machine.LiveResponse', 'listMachines')).toBe(403);
    expect(await status('Machine.Read', 'runLiveResponse')).toBe(403);
    expect(await status('Machine.Read', 'getResultLink')).toBe(404);
    expect(await status('Machine.LiveResponse', 'getResultLink')).toBe(404);
    expect(await status('Machine.ReadWrite', 'getResultLink')).toBe(404);
    expect(await status('Library.Manage', 'listLibraryFiles')).toBe(200);
    expect(await status('', 'listMachines')).toBe(403);
  });

  test('the person is the requestor', async () => {
    const { machineId } = await server.absentDevice('persons');
    const response = await fetch(`${server.url}/api/machines/${machineId}/runliveresponse`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await person('Machine.LiveResponse')}` },
      body: JSON.stringify({ Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: 'x' }] }] }),
    });
    expect(JSON.parse(await response.text()).requestor).toBe('ana@example.org');
  });
});

describe('result links', () => {
  /** An action whose file is there, and a link to it. */
  const collected = async () => {
    const device = await server.device('linked');
    const commands = [{ type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] }];
    const { json } = await server.api.post(`/api/machines/${device.machineId}/runliveresponse`, { Commands: commands });
    const offer = await device.takeOffer();
    const { actionId } = offer;
    await device.report({ kind: 'accepted', actionId });
    const results = [await device.upload(offer, { index: 0, stream: 'file' }, 'abc')];
    const done = { outcome: 'Completed' as const, errors: [], exitCode: null, results };
    await device.report({ kind: 'command-finished', actionId, index: 0, ...done });
    const path = `/api/machineactions/${json.id}/GetLiveResponseResultDownloadLink(index=0)`;
    return { id: String(json.id), link: async () => String((await server.api.call(path)).json.value) };
  };
  const refusalOf = async (link: string) => {
    const response = await fetch(link);
    const { error } = JSON.parse(await response.text());
    return [response.status, error.code, error.message];
  };
  const FORGED = [403, 'Forbidden', 'The link is not one that this server made.'];

  test('need no token, end by themselves, and are made anew', async () => {
    const { link } = await collected();
    const first = await link();
    expect((await fetch(`${first}&raw=1`)).status).toBe(200);
    const deadline = performance.now() + 5_000;
    while ((await fetch(first)).status === 200 && performance.now() < deadline)
      await new Promise((resolve) => setImmediate(resolve));
    const [status, code, message] = await refusalOf(first);
    expect([status, code]).toEqual([403, 'Forbidden']);
    expect(message).toContain('expired');
    expect((await fetch(`${await link()}&raw=1`)).status).toBe(200);
  });

  test('are for one result: none of their parts can be changed', async () => {
    const [one, other] = [await collected(), await collected()];
    const link = await one.link();
    const later = link.replace(/se=(\d+)/, (_, seconds) => `se=${Number(seconds) + 600}`);
    const changed = [
      later,
      link.replace(one.id, other.id),
      link.replace('/0?', '/1?'),
      link.replace(/&sig=./, (start) => (start.endsWith('A') ? '&sig=B' : '&sig=A')),
      link.replace(/&sig=.*/, ''),
      link.replace(/\?.*/, ''),
      link.replace(one.id, 'x'),
    ];
    for (const forged of changed) expect(await refusalOf(forged)).toEqual(FORGED);
  });
});
