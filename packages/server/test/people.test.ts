/** People who sign in here by themselves: password, refresh token and device code grants, and how each of them ends. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Json } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { decodeJwt } from 'jose';
import { askToken, choosePassword, newPerson, PASSWORD, submit } from './people-world.ts';
import { storeRows } from './store-rows.ts';

let server: TestServer;
let clientId: string;
beforeAll(async () => {
  server = await startTestServer();
  const grants = ['password', 'device_code', 'refresh_token'] as const;
  ({ clientId } = await server.admin.call('createNativeApplication', { name: 'console', grants: [...grants] }));
});
afterAll(() => server.stop());

const V1 = '/default/oauth2/token';
const byPassword = (username: string, password = PASSWORD, more: Record<string, string> = {}, path = V1) =>
  askToken(server, { grant_type: 'password', client_id: clientId, username, password, ...more }, path);
const refresh = (token: string) =>
  askToken(server, { grant_type: 'refresh_token', client_id: clientId, refresh_token: token });
const machines = async (token: string, path = '/api/machines') =>
  (await fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } })).status;

describe('a password', () => {
  test('gives a token that says who, what for, and with which roles', async () => {
    await newPerson(server, 'anna@example.org');
    const { status, json } = await byPassword('Anna@Example.org', PASSWORD, { resource: server.url });
    expect(status).toBe(200);
    expect(decodeJwt(json.access_token)).toMatchObject({
      aud: server.url,
      upn: 'anna@example.org',
      name: 'anna@example.org',
      roles: ['LiveResponse.Advanced'],
      scp: 'Machine.LiveResponse Machine.Read Machine.ReadWrite Library.Manage User.Read.All',
      ver: '1.0',
    });
    expect(typeof json.refresh_token).toBe('string');
    expect(await machines(json.access_token)).toBe(200);
  });

  test('is chosen once by a link, and is long', async () => {
    const link = await server.admin.call('createPerson', { name: 'ben', roles: ['Data.View'], deviceGroups: 'all' });
    expect((await byPassword('ben')).number).toBe(50126);
    expect((await choosePassword(server, link, 'elevenchars')).text).toContain('12 to 256');
    expect((await choosePassword(server, { ...link, secret: 'x' })).text).toContain('is not known');
    expect((await choosePassword(server, link)).text).toContain('ben can sign in now');
    expect((await choosePassword(server, link, 'another one, later')).text).toContain('is not known');
    expect((await byPassword('ben')).status).toBe(200);
    expect(
      String(storeRows(server.dataFolder, "select * from people where name = 'ben'")[0]?.password_hash),
    ).toStartWith('$argon2id$');
  });

  test('that is wrong, of somebody unknown, or of nobody who can sign in, is told alike', async () => {
    const told = [await byPassword('anna@example.org', 'wrong'), await byPassword('nobody', 'wrong')];
    expect(told.map(({ status, number }) => [status, number])).toEqual([
      [400, 50126],
      [400, 50126],
    ]);
    expect(told[0]?.json.error_description).toBe(told[1]?.json.error_description);
  });

  test('takes as long for somebody unknown as for somebody known', async () => {
    const medianOf = async (name: string) => {
      const times: number[] = [];
      for (let count = 0; count < 5; count++) {
        const start = performance.now();
        await byPassword(`${name}`, 'wrong');
        times.push(performance.now() - start);
      }
      return times.toSorted((a, b) => a - b)[2] ?? 0;
    };
    await newPerson(server, 'timed');
    const [known, unknown] = [await medianOf('timed'), await medianOf('untimed')];
    // without the work that is done for nobody, the unknown one would be answered in a twentieth of the time
    expect(unknown).toBeGreaterThan(known / 4);
  });

  test('that is wrong again and again makes that source wait; the answer says how long', async () => {
    await newPerson(server, 'guessed');
    for (let count = 0; count < 6; count++) expect((await byPassword('guessed', 'wrong')).number).toBe(50126);
    const told = await byPassword('guessed');
    expect([told.status, told.number]).toEqual([429, 50053]);
  });
});

describe('a person', () => {
  test('who is disabled is out at once, with tokens that they have', async () => {
    await newPerson(server, 'cora');
    const { json } = await byPassword('cora');
    await server.admin.call('changePerson', { name: 'cora', disabled: true });
    expect([await machines(json.access_token), (await byPassword('cora')).number]).toEqual([401, 50057]);
    expect((await refresh(json.refresh_token)).number).toBe(70000);
    await server.admin.call('changePerson', { name: 'cora', disabled: false });
    expect((await byPassword('cora')).status).toBe(200);
  });

  test('is limited to roles and device groups as they are now', async () => {
    const device = await server.absentDevice();
    await newPerson(server, 'dora', { roles: ['Data.View'] });
    const { json } = await byPassword('dora');
    const path = `/api/machines/${device.machineId}`;
    expect(await machines(json.access_token, path)).toBe(200);
    await server.admin.call('createDeviceGroup', { name: 'Berlin', liveResponse: true, approval: false });
    await server.admin.call('changePerson', { name: 'dora', deviceGroups: ['Berlin'] });
    expect(await machines(json.access_token, path)).toBe(404);
    await server.admin.call('changePerson', { name: 'dora', deviceGroups: 'all', roles: ['PortalSettings.Manage'] });
    expect(await machines(json.access_token, path)).toBe(403);
  });

  test('who is reset or deleted has nothing left', async () => {
    await newPerson(server, 'emil');
    const { json } = await byPassword('emil');
    await server.admin.call('resetPerson', { name: 'emil' });
    expect([await machines(json.access_token), (await byPassword('emil')).number]).toEqual([401, 50126]);
    await server.admin.call('deletePerson', { name: 'emil' });
    expect(await machines(json.access_token)).toBe(401);
  });
});

describe('a refresh token', () => {
  test('is good once; a second time ends all that followed from it', async () => {
    await newPerson(server, 'finn');
    const first = (await byPassword('finn')).json.refresh_token;
    const second = await refresh(first);
    expect([second.status, second.json.refresh_token === first]).toEqual([200, false]);
    expect(await machines(second.json.access_token)).toBe(200);
    expect((await refresh(first)).number).toBe(70000);
    expect((await refresh(second.json.refresh_token)).number).toBe(70000);
  });

  test('is the application’s own', async () => {
    await newPerson(server, 'gina');
    const { json } = await byPassword('gina');
    const other = await server.admin.call('createNativeApplication', { name: 'other', grants: ['refresh_token'] });
    const form = { grant_type: 'refresh_token', client_id: other.clientId, refresh_token: json.refresh_token };
    expect((await askToken(server, form)).number).toBe(70000);
    expect(JSON.stringify(storeRows(server.dataFolder, 'select * from refresh_tokens'))).not.toContain(
      json.refresh_token,
    );
  });

  test('of v2 is given where offline_access is asked for', async () => {
    await newPerson(server, 'hans');
    const v2 = '/default/oauth2/v2.0/token';
    expect((await byPassword('hans', PASSWORD, { scope: 'Machine.Read' }, v2)).json.refresh_token).toBeUndefined();
    const { json } = await byPassword('hans', PASSWORD, { scope: 'https://x/Machine.Read offline_access' }, v2);
    expect([json.scope, typeof json.refresh_token]).toEqual(['Machine.Read', 'string']);
    expect((await byPassword('hans', PASSWORD, { scope: 'Machine.Offboard' }, v2)).json.error).toBe('invalid_scope');
  });
});

describe('a device code', () => {
  const start = async (version: 'v2.0/' | '' = 'v2.0/') =>
    (await askToken(server, { client_id: clientId, scope: 'offline_access' }, `/default/oauth2/${version}devicecode`))
      .json;
  const poll = (code: string) =>
    askToken(server, {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: clientId,
      device_code: code,
    });
  const decide = (userCode: string, answer: string, name = 'ida', password = PASSWORD) =>
    submit(server, '/device', { user_code: userCode, name, password, answer });

  test('is polled until its person allows it, and is good once', async () => {
    await newPerson(server, 'ida');
    const started = await start();
    expect(started).toMatchObject({ expires_in: 900, interval: 5, verification_uri: `${server.url}/device` });
    expect((await poll(started.device_code)).json.error).toBe('authorization_pending');
    expect((await poll(started.device_code)).json.error).toBe('slow_down');
    const page = await (await fetch(started.verification_uri_complete)).text();
    expect(page).toContain('console');
    expect((await decide(started.user_code, 'allow', 'ida', 'wrong')).text).toContain('invalid username or password');
    expect((await decide(started.user_code.toLowerCase(), 'allow')).text).toContain('Done');
    const { status, json } = await poll(started.device_code);
    expect([status, decodeJwt(json.access_token).upn, typeof json.refresh_token]).toEqual([200, 'ida', 'string']);
    expect((await poll(started.device_code)).json.error).toBe('bad_verification_code');
    expect((await decide(started.user_code, 'allow')).text).toContain('is not known');
  });

  test('of v1 is polled by the name code, and says numbers as texts', async () => {
    const started = await start('');
    expect([started.expires_in, started.interval, started.verification_url]).toEqual([
      '900',
      '5',
      `${server.url}/device`,
    ]);
    await decide(started.user_code, 'allow');
    const form = { grant_type: 'device_code', client_id: clientId, code: started.device_code };
    expect((await askToken(server, form, V1)).status).toBe(200);
  });

  test('that is declined, and one that nobody made, say so', async () => {
    const started = await start();
    await decide(started.user_code, 'deny');
    expect((await poll(started.device_code)).json.error).toBe('authorization_declined');
    expect((await poll('x')).json.error).toBe('bad_verification_code');
  });
});

describe('the pages', () => {
  test('run nothing, escape what they show, and take no form of another site', async () => {
    const page = await fetch(`${server.url}/sign-in/set-up?secret=${encodeURIComponent('"><script>')}`);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(await page.text()).not.toContain('<script>');
    const foreign = await submit(server, '/device', { user_code: 'x' }, { 'sec-fetch-site': 'cross-site' });
    expect(foreign.status).toBe(403);
    expect((await fetch(`${server.url}/device`, { method: 'DELETE' })).status).toBe(404);
  });
});

test('who we are is found where clients look: the issuer’s document, and keys that verify our tokens', async () => {
  const read = async (url: string): Promise<Json> => (await fetch(url)).json();
  const document = await read(`${server.url}/default/v2.0/.well-known/openid-configuration`);
  const { keys } = await read(document.jwks_uri);
  const { json } = await byPassword('anna@example.org');
  const { iss } = decodeJwt(json.access_token);
  expect([document.issuer, keys.length, keys[0].d]).toEqual([iss, 1, undefined]);
  expect((await fetch(`${server.url}/${crypto.randomUUID()}/discovery/keys`)).status).toBe(404);
});

test('every token that a person got above is in the audit with its grant, and nobody who was told to poll on', async () => {
  await server.restart();
  const rows = storeRows(
    server.dataFolder,
    "select actor, event, subject, detail from audit where event like 'sign-in.%'",
  );
  const issued = rows
    .filter(({ event }) => event === 'sign-in.issued')
    .map(({ actor, subject }) => `${actor} ${subject}`);
  expect(issued).toEqual(
    expect.arrayContaining(['finn refresh_token', 'ida device_code', 'anna@example.org password']),
  );
  expect(JSON.stringify(rows)).not.toMatch(/authorization_pending|slow_down/);
});
