/** The token endpoints as the original's clients call them (wire contract 1.2, semantics 22, 24). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { join } from 'node:path';
import { TOKEN_BODY_BYTES, TOKEN_SECONDS } from '@longarm/contract/limits';
import { ensureTokenKey } from '@longarm/server/auth/token-keys';
import type { Json } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { jwtVerify } from 'jose';

let server: TestServer;
let application: { readonly tenantId: string; readonly clientId: string; readonly clientSecret: string };
beforeAll(async () => {
  server = await startTestServer();
  application = await server.admin.call('createApplication', {
    name: 'soar',
    roles: ['Machine.LiveResponse', 'Machine.Read.All'],
  });
});
afterAll(() => server.stop());

const RESOURCE = 'https://api.securitycenter.microsoft.com';
const V1 = '/default/oauth2/token';
const V2 = '/default/oauth2/v2.0/token';

type Told = { readonly status: number; readonly headers: Headers; readonly json: Json };

const ask = async (path: string, init: RequestInit): Promise<Told> => {
  const response = await fetch(server.url + path, init);
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
};
const form = (changes: Readonly<Record<string, string | null>> = {}): URLSearchParams => {
  const fields: Record<string, string | null> = {
    grant_type: 'client_credentials',
    client_id: application.clientId,
    client_secret: application.clientSecret,
    ...changes,
  };
  return new URLSearchParams(
    Object.entries(fields).flatMap(([key, value]) => (value === null ? [] : [[key, value] satisfies [string, string]])),
  );
};
const post = (path: string, changes: Readonly<Record<string, string | null>> = {}, headers = {}) =>
  ask(path, { method: 'POST', body: form(changes), headers });

const verified = async (token: string) => {
  const { publicKey, kid } = await ensureTokenKey(join(server.dataFolder, 'keys'));
  const { payload, protectedHeader } = await jwtVerify(token, publicKey);
  expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid });
  return payload;
};

describe('a token', () => {
  test('of v2 has numbers, and is a JWT that clients can read', async () => {
    const { status, headers, json } = await post(V2, { scope: `${RESOURCE}/.default` });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(Object.keys(json)).toEqual(['token_type', 'expires_in', 'ext_expires_in', 'access_token']);
    expect(json).toMatchObject({
      token_type: 'Bearer',
      expires_in: TOKEN_SECONDS - 1,
      ext_expires_in: TOKEN_SECONDS - 1,
    });
    const claims = await verified(json.access_token);
    expect(claims).toMatchObject({
      aud: RESOURCE,
      iss: `${server.url}/${application.tenantId}/`,
      appid: application.clientId,
      sub: application.clientId,
      tid: application.tenantId,
      roles: ['Machine.LiveResponse', 'Machine.Read.All'],
      app_displayname: 'soar',
      ver: '2.0',
    });
    expect(claims.scp).toBeUndefined();
    const { iat = 0, nbf = 0, exp = 0 } = claims;
    expect([nbf - iat, exp - iat]).toEqual([0, TOKEN_SECONDS]);
    expect(Math.abs(iat - Date.now() / 1_000)).toBeLessThan(10);
    const answer = await ask('/api/machines', { headers: { authorization: `Bearer ${json.access_token}` } });
    expect(answer.status).toBe(200);
  });

  test('of v1 has what v1 has besides, as texts, and names the resource', async () => {
    const { status, json } = await post(V1, { resource: server.url });
    expect([status, json.resource, json.expires_in]).toEqual([200, server.url, TOKEN_SECONDS - 1]);
    expect(Number(json.expires_on) - Number(json.not_before)).toBe(TOKEN_SECONDS - 1);
    expect(typeof json.expires_on).toBe('string');
    expect(await verified(json.access_token)).toMatchObject({ aud: server.url, ver: '1.0' });
  });

  test('is given for any scope or resource, and for none', async () => {
    for (const scope of ['https://securitycenter.onmicrosoft.com/windowsatpservice/.default', 'x', 'a/.default b'])
      expect([scope, (await post(V2, { scope })).status]).toEqual([scope, 200]);
    expect((await verified((await post(V2)).json.access_token)).aud).toBe(RESOURCE);
  });

  test('two tokens are not the same', async () => {
    const [one, other] = [await post(V2), await post(V2)];
    expect((await verified(one.json.access_token)).jti).not.toBe((await verified(other.json.access_token)).jti);
  });
});

describe('a request', () => {
  test('names the tenant by its GUID in any case, or default; the path is in any case', async () => {
    for (const tenant of [application.tenantId, application.tenantId.toUpperCase(), 'default', 'DEFAULT'])
      for (const path of [`/${tenant}/oauth2/token`, `/${tenant}/OAuth2/V2.0/Token/`])
        expect([path, (await post(path)).status]).toEqual([path, 200]);
  });

  test('may come without a Content-Type, as some clients send it', async () => {
    const { hostname, port } = new URL(server.url);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = '';
    const body = form().toString();
    const head = [
      'POST /default/oauth2/token HTTP/1.1',
      'Host: x',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ];
    const socket = connect(Number(port), hostname, () => socket.write([...head, '', body].join('\r\n')));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    expect(await promise).toContain('"access_token":"ey');
  });

  test('may carry its credentials in a Basic header', async () => {
    const basic = (id: string, secret: string) => ({
      authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
    });
    const bare = { client_id: null, client_secret: null };
    expect((await post(V2, bare, basic(application.clientId, application.clientSecret))).status).toBe(200);
    expect((await post(V2, bare, basic(application.clientId, 'wrong:with:colons'))).json.error).toBe('invalid_client');
    expect((await post(V2, bare, { authorization: 'Basic %%%' })).json.error).toBe('invalid_request');
  });
});

describe('refused in OAuth’s own form', () => {
  const cases: Readonly<
    Record<string, { readonly expected: readonly [number, string, number]; readonly ask: () => Promise<Told> }>
  > = {
    'a wrong secret': { expected: [401, 'invalid_client', 7000215], ask: () => post(V2, { client_secret: 'wrong' }) },
    'an unknown client': {
      expected: [401, 'invalid_client', 7000215],
      ask: () => post(V2, { client_id: crypto.randomUUID() }),
    },
    'a client id that is none': {
      expected: [401, 'invalid_client', 7000215],
      ask: () => post(V2, { client_id: "' or 1" }),
    },
    'another tenant': {
      expected: [401, 'invalid_client', 7000215],
      ask: () => post(`/${crypto.randomUUID()}/oauth2/token`),
    },
    'a tenant that is no GUID': {
      expected: [400, 'invalid_request', 900144],
      ask: () => post('/contoso.com/oauth2/token'),
    },
    'no grant type': { expected: [400, 'invalid_request', 900144], ask: () => post(V2, { grant_type: null }) },
    'no secret': { expected: [400, 'invalid_request', 900144], ask: () => post(V2, { client_secret: null }) },
    'no client id': { expected: [400, 'invalid_request', 900144], ask: () => post(V2, { client_id: '' }) },
    'a grant that is not built': {
      expected: [400, 'unsupported_grant_type', 70003],
      ask: () => post(V1, { grant_type: 'urn:ietf:params:oauth:grant-type:saml2-bearer' }),
    },
    'a password grant of an application that may not use it': {
      expected: [400, 'unauthorized_client', 70001],
      ask: () => post(V1, { grant_type: 'password' }),
    },
    'a device code grant of one that may not': {
      expected: [400, 'unauthorized_client', 70001],
      ask: () => post(V2, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' }),
    },
    'a GET': { expected: [400, 'invalid_request', 900144], ask: () => ask(V1, { method: 'GET' }) },
    'a body over its limit': {
      expected: [400, 'invalid_request', 900144],
      ask: () => post(V2, { scope: 'x'.repeat(TOKEN_BODY_BYTES) }),
    },
  };
  for (const [name, { expected, ask: asked }] of Object.entries(cases)) {
    test(name, async () => {
      const { status, headers, json } = await asked();
      expect([status, json.error, json.error_codes]).toEqual([expected[0], expected[1], [expected[2]]]);
      expect(json.error_description).toStartWith(`AADSTS${expected[2]}: `);
      expect(json.error_description).not.toContain(application.clientSecret);
      expect(Object.keys(json)).toEqual([
        'error',
        'error_description',
        'error_codes',
        'timestamp',
        'trace_id',
        'correlation_id',
      ]);
      expect(json.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
      expect(headers.get('content-type')).toContain('json');
      expect(headers.get('cache-control')).toBe('no-store');
    });
  }

  test('an unknown client and a wrong secret are told the same', async () => {
    const [unknown, wrong] = [
      await post(V2, { client_id: crypto.randomUUID() }),
      await post(V2, { client_secret: 'x' }),
    ];
    expect(unknown.json.error_description).toBe(wrong.json.error_description);
  });
  test('an application that was deleted gets no more tokens', async () => {
    const gone = await server.admin.call('createApplication', { name: 'gone', roles: ['Machine.Read.All'] });
    const credentials = { client_id: gone.clientId, client_secret: gone.clientSecret };
    expect((await post(V2, credentials)).status).toBe(200);
    await server.admin.call('deleteApplication', { clientId: gone.clientId });
    expect((await post(V2, credentials)).status).toBe(401);
  });
});

test('keys survive a restart: tokens issued before it are good after it', async () => {
  const { json } = await post(V2);
  await server.restart();
  const answer = await ask('/api/machines', { headers: { authorization: `Bearer ${json.access_token}` } });
  expect(answer.status).toBe(200);
});
