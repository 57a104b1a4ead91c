/** The authorization code grant: the sign-in page, where it sends people, and codes that are good once. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { decodeJwt } from 'jose';
import { askToken, newPerson, PASSWORD, submit } from './people-world.ts';

let server: TestServer;
let native: string;
let web: { readonly clientId: string; readonly clientSecret: string };
const BACK = 'http://localhost:54321/';
const WEB_BACK = 'https://soar.example/back';
const VERIFIER = 'a'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

beforeAll(async () => {
  server = await startTestServer();
  ({ clientId: native } = await server.admin.call('createNativeApplication', { name: 'desk' }));
  web = await server.admin.call('createApplication', {
    name: 'soar',
    roles: ['Machine.Read.All'],
    grants: ['authorization_code'],
    redirectUris: [WEB_BACK],
  });
  await newPerson(server, 'anna');
});
afterAll(() => server.stop());

const pathOf = (changes: Readonly<Record<string, string>> = {}) => {
  const usual = {
    client_id: native,
    response_type: 'code',
    redirect_uri: BACK,
    state: 'a&b',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  };
  return `/default/oauth2/v2.0/authorize?${new URLSearchParams({ ...usual, ...changes })}`;
};
const sign = async (path: string, form: Readonly<Record<string, string>> = {}) => {
  const answer = await submit(server, path, { name: 'anna', password: PASSWORD, answer: 'allow', ...form });
  const location = answer.headers.get('location');
  return { ...answer, back: location === null ? null : new URL(location) };
};
const redeem = (code: string, changes: Readonly<Record<string, string>> = {}) =>
  askToken(server, {
    grant_type: 'authorization_code',
    client_id: native,
    code,
    redirect_uri: BACK,
    code_verifier: VERIFIER,
    ...changes,
  });
const newCode = async (path = pathOf()) => (await sign(path)).back?.searchParams.get('code') ?? '';

describe('the page', () => {
  test('says who asks, runs nothing, and leads to the registered address only', async () => {
    const response = await fetch(server.url + pathOf());
    expect(response.headers.get('content-security-policy')).toContain("form-action 'self' http://localhost:54321;");
    expect(await response.text()).toContain('<strong>desk</strong>');
    const { status, back } = await sign(pathOf());
    expect([status, back?.origin, back?.searchParams.get('state')]).toEqual([302, 'http://localhost:54321', 'a&b']);
  });

  test('sends nobody anywhere for an unknown application or address', async () => {
    const wrong = [
      pathOf({ client_id: crypto.randomUUID() }),
      pathOf({ redirect_uri: 'https://evil.example/' }),
      pathOf({ redirect_uri: 'javascript:alert(1)' }),
      pathOf({ client_id: web.clientId }),
    ];
    for (const path of wrong) {
      const { status, back } = await sign(path);
      expect([status, back]).toEqual([400, null]);
    }
  });

  test('tells the application what is wrong with its request', async () => {
    const errors: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
      [{ response_type: 'token' }, 'invalid_request'],
      [{ code_challenge: '' }, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ scope: 'Machine.Offboard' }, 'invalid_scope'],
    ];
    for (const [changes, error] of errors)
      expect([changes, (await sign(pathOf(changes))).back?.searchParams.get('error')]).toEqual([changes, error]);
    expect((await sign(pathOf(), { answer: 'deny' })).back?.searchParams.get('error')).toBe('access_denied');
  });

  test('asks again for a wrong password, and takes no form of another site', async () => {
    const wrong = await sign(pathOf(), { password: 'wrong' });
    expect([wrong.status, wrong.back, wrong.text.includes('invalid username')]).toEqual([200, null, true]);
    const form = { name: 'anna', password: PASSWORD, answer: 'allow' };
    expect((await submit(server, pathOf(), form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });
});

describe('a code', () => {
  test('gives tokens once; a second time ends them', async () => {
    const code = await newCode(pathOf({ scope: 'Machine.Read offline_access' }));
    const { status, json } = await redeem(code);
    expect([status, json.scope, decodeJwt(json.access_token).upn]).toEqual([200, 'Machine.Read', 'anna']);
    expect((await redeem(code)).number).toBe(54005);
    const refresh = { grant_type: 'refresh_token', client_id: native, refresh_token: json.refresh_token };
    expect((await askToken(server, refresh)).number).toBe(70000);
  });

  test('needs its verifier, its address and its application', async () => {
    expect((await redeem(await newCode(), { code_verifier: 'b'.repeat(43) })).number).toBe(501481);
    expect((await redeem(await newCode(), { code_verifier: '' })).number).toBe(501481);
    expect((await redeem(await newCode(), { redirect_uri: `${BACK}other` })).number).toBe(50011);
    const asWeb = { client_id: web.clientId, client_secret: web.clientSecret };
    expect((await redeem(await newCode(), asWeb)).number).toBe(70000);
    expect((await redeem('made up')).number).toBe(70000);
  });

  test('of an application with a secret needs the secret, and no verifier where none was announced', async () => {
    const path = `/default/oauth2/authorize?${new URLSearchParams({ client_id: web.clientId, response_type: 'code', redirect_uri: WEB_BACK })}`;
    const form = { client_id: web.clientId, redirect_uri: WEB_BACK, code_verifier: '' };
    expect((await redeem(await newCode(path), form)).number).toBe(7000218);
    expect((await redeem(await newCode(path), { ...form, client_secret: web.clientSecret })).status).toBe(200);
  });
});

test('there is no first visitor: nobody becomes anybody without the administrator’s link, before and after', async () => {
  const fresh = await startTestServer();
  const asVisitor = async (secret: string) =>
    (await submit(fresh, '/sign-in/set-up', { secret, password: PASSWORD, again: PASSWORD })).text;
  for (const secret of ['', 'null', 'x']) expect(await asVisitor(secret)).toContain('is not known');
  for (const path of ['/setup', '/sign-in/setup', '/sign-in/set-up/', '/admin', '/createPerson'])
    expect([path, (await fetch(fresh.url + path, { method: 'POST' })).status]).toEqual([path, 404]);
  const link = await fresh.admin.call('createPerson', { name: 'first', roles: ['Data.View'], deviceGroups: 'all' });
  expect(await asVisitor(link.secret)).toContain('first can sign in now');
  await fresh.restart();
  expect(await asVisitor(link.secret)).toContain('is not known');
  await fresh.admin.call('deletePerson', { name: 'first' });
  expect(await asVisitor(link.secret)).toContain('is not known');
  await fresh.stop();
});
