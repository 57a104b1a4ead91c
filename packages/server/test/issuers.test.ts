/** Tokens of other issuers, as Entra ID and Keycloak write them: a real one on loopback, with keys of its own. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { AdminRequest } from '@longarm/contract/admin/operations';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

type Key = { readonly kid: string; readonly privateKey: CryptoKey; readonly jwk: JWK };

const newKey = async (kid: string): Promise<Key> => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } };
};

/** An issuer whose keys and health the test chooses. */
const startIssuer = () => {
  const state = { keys: [] as Key[], isUp: true, asked: 0 };
  const serve = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => {
      const { pathname, origin } = new URL(request.url);
      if (!state.isUp) return new Response('', { status: 503 });
      if (pathname === '/.well-known/openid-configuration')
        return Response.json({ issuer: origin, jwks_uri: `${origin}/keys` });
      state.asked++;
      return Response.json({ keys: state.keys.map(({ jwk }) => jwk) });
    },
  });
  return { state, url: serve.url.origin, stop: () => serve.stop(true) };
};

let server: TestServer;
let issuer: ReturnType<typeof startIssuer>;
let key: Key;
let machineId: string;
const TID = '22222222-2222-4222-8222-222222222222';

const settings = (url: string, more: Partial<AdminRequest<'addIssuer'>> = {}): AdminRequest<'addIssuer'> => ({
  url,
  discoveryUrl: null,
  audiences: ['api://longarm'],
  tid: TID,
  roleClaim: 'roles',
  groupClaim: 'groups',
  roleMap: { 'soc-lead': 'LiveResponse.Advanced' },
  groupMap: {},
  ...more,
});

beforeAll(async () => {
  server = await startTestServer();
  issuer = startIssuer();
  key = await newKey('k1');
  issuer.state.keys = [key];
  ({ machineId } = await server.absentDevice());
  await server.admin.call('addIssuer', settings(issuer.url));
});
afterAll(async () => {
  await issuer.stop();
  await server.stop();
});

const claims = () => {
  const now = Math.floor(Date.now() / 1_000);
  return { iss: issuer.url, aud: 'api://longarm', exp: now + 600, nbf: now, tid: TID, sub: 's', azp: 'soar' };
};
const token = (changes: Record<string, unknown> = {}, by = key, alg = 'RS256') =>
  new SignJWT({ ...claims(), ...changes }).setProtectedHeader({ alg, kid: by.kid }).sign(by.privateKey);
const call = async (bearer: string, path = `/api/machines/${machineId}`, init: RequestInit = {}) => {
  const response = await fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${bearer}` } });
  return { status: response.status, text: await response.text() };
};

describe('a token', () => {
  test('of an application has its roles', async () => {
    expect((await call(await token({ idtyp: 'app', roles: ['Machine.Read.All'] }))).status).toBe(200);
    expect((await call(await token({ idtyp: 'app', roles: ['Alert.Read.All'] }))).status).toBe(403);
  });

  test('of a person needs a scope and a role, whose names may be mapped', async () => {
    const scp = 'Machine.Read Machine.LiveResponse';
    expect((await call(await token({ scp, roles: ['soc-lead'] }))).status).toBe(200);
    expect((await call(await token({ scp, roles: ['Machine.Read.All'] }))).status).toBe(403);
    expect((await call(await token({ scp: 'profile', roles: ['soc-lead'] }))).status).toBe(403);
  });

  test('says who asked', async () => {
    const bearer = await token({ scp: 'Machine.LiveResponse', roles: ['soc-lead'], upn: 'anna@example.org' });
    const body = JSON.stringify({
      Commands: [{ type: 'GetFile', params: [{ key: 'Path', value: '/x' }] }],
      Comment: 'c',
    });
    const { status, text } = await call(bearer, `/api/machines/${machineId}/runliveresponse`, { method: 'POST', body });
    expect([status, JSON.parse(text).requestor]).toEqual([200, 'anna@example.org']);
  });

  test('is refused where it is not exactly as expected', async () => {
    const roles = { idtyp: 'app', roles: ['Machine.Read.All'] };
    const now = Math.floor(Date.now() / 1_000);
    const wrong: Readonly<Record<string, Record<string, unknown>>> = {
      'another audience': { aud: 'api://other' },
      'no audience': { aud: undefined },
      'another tenant': { tid: crypto.randomUUID() },
      'an issuer that differs by a slash': { iss: `${issuer.url}/` },
      'over for longer than clocks differ': { exp: now - 200 },
      'not yet, by more than clocks differ': { nbf: now + 200 },
      'no end': { exp: undefined },
      'of nobody': { sub: undefined },
    };
    for (const [name, changes] of Object.entries(wrong))
      expect([name, (await call(await token({ ...roles, ...changes }))).status]).toEqual([name, 401]);
    expect((await call(await token({ ...roles, exp: now - 60 }))).status).toBe(200);
  });

  test('is refused when another key signed it, or none', async () => {
    const roles = { idtyp: 'app', roles: ['Machine.Read.All'] };
    const stranger = { ...(await newKey('k1')), kid: 'k1' };
    expect((await call(await token(roles, stranger))).status).toBe(401);
    const shared = new TextEncoder().encode(JSON.stringify(key.jwk));
    const hmac = await new SignJWT({ ...claims(), ...roles })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(shared);
    expect((await call(hmac)).status).toBe(401);
    const [, payload] = (await token(roles)).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'k1' })).toString('base64url');
    expect((await call(`${none}.${payload}.`)).status).toBe(401);
  });

  test('cannot speak for this server: its own issuer needs its own key', async () => {
    const { tenantId, clientId } = await server.admin.call('createApplication', {
      name: 'own',
      roles: ['Machine.Read.All'],
    });
    const own = { iss: `${server.url}/${tenantId}/`, appid: clientId, tid: tenantId, roles: ['Machine.Read.All'] };
    expect((await call(await token(own))).status).toBe(401);
  });
});

test('of Keycloak: roles at a path, a scope of texts, groups that limit', async () => {
  const keycloak = startIssuer();
  keycloak.state.keys = [key];
  await server.admin.call('createDeviceGroup', { name: 'Berlin', liveResponse: true, approval: false });
  const more = { tid: null, roleClaim: 'realm_access.roles', groupMap: { '/berlin': 'Berlin' } };
  await server.admin.call('addIssuer', settings(keycloak.url, more));
  const person = {
    iss: keycloak.url,
    scope: 'openid profile Machine.Read',
    realm_access: { roles: ['soc-lead', 'offline_access'] },
    preferred_username: 'ben',
  };
  expect((await call(await token({ ...person, groups: ['/berlin'] }))).status).toBe(404);
  await server.admin.call('moveMachine', { machine: machineId, group: 'Berlin' });
  expect((await call(await token({ ...person, groups: ['/berlin'] }))).status).toBe(200);
  expect((await call(await token({ ...person, groups: ['/paris'] }))).status).toBe(404);
  const service = { iss: keycloak.url, scope: 'profile email', realm_access: { roles: ['Machine.Read.All'] } };
  expect((await call(await token({ ...service, groups: ['/berlin'] }))).status).toBe(200);
  await server.admin.call('moveMachine', { machine: machineId, group: null });
  await server.admin.call('removeIssuer', { url: keycloak.url });
  expect((await call(await token({ ...person, groups: ['/berlin'] }))).status).toBe(401);
  await keycloak.stop();
});

test('an issuer that is away: keys that were had work on', async () => {
  const roles = { idtyp: 'app', roles: ['Machine.Read.All'] };
  expect((await call(await token(roles))).status).toBe(200);
  issuer.state.isUp = false;
  expect((await call(await token(roles))).status).toBe(200);
  issuer.state.isUp = true;
});
