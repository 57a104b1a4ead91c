/** What applications prove themselves by: several secrets, certificates, and how each of them ends. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { AdminAnswer } from '@longarm/contract/admin/operations';
import { JWT_BEARER } from '@longarm/contract/application';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { newSigner, type Signer } from './signing-client.ts';
import { storeRows } from './store-rows.ts';

let server: TestServer;
let application: AdminAnswer<'createApplication'>;
let signer: Signer;
beforeAll(async () => {
  server = await startTestServer();
  application = await newApplication();
  signer = await newSigner('RS256');
  await server.admin.call('addApplicationCertificate', { clientId: application.clientId, pem: signer.pem });
});
afterAll(() => server.stop());

const newApplication = () =>
  server.admin.call('createApplication', { name: 'soar', roles: ['Machine.LiveResponse', 'Machine.Read.All'] });

const ask = async (form: Readonly<Record<string, string>>, path = '/default/oauth2/v2.0/token') => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form });
  const response = await fetch(server.url + path, { method: 'POST', body });
  const json = JSON.parse(await response.text());
  return { status: response.status, number: json.error_codes?.[0], error: json.error, json };
};
const bySecret = (clientId: string, secret: string) => ask({ client_id: clientId, client_secret: secret });

describe('secrets', () => {
  test('several are good at once, until one is removed', async () => {
    const { clientId, clientSecret: first } = await newApplication();
    const second = await server.admin.call('addApplicationSecret', { clientId, validDays: null });
    expect([(await bySecret(clientId, first)).status, (await bySecret(clientId, second.clientSecret)).status]).toEqual([
      200, 200,
    ]);
    const { credentials } = await server.admin.call('listApplicationCredentials', { clientId });
    const old = credentials.find(({ id }) => id !== second.id);
    await server.admin.call('removeApplicationCredential', { clientId, kind: 'secret', id: old?.id ?? '' });
    expect((await bySecret(clientId, first)).number).toBe(7000215);
    expect((await bySecret(clientId, second.clientSecret)).status).toBe(200);
  });

  test('one that has expired says so, to who has it alone', async () => {
    const { clientId } = application;
    const brief = await server.admin.call('addApplicationSecret', { clientId, validDays: 1 / 86_400_000 });
    const told = await bySecret(clientId, brief.clientSecret);
    expect([told.status, told.error, told.number]).toEqual([401, 'invalid_client', 7000222]);
  });

  test('the last use is told, and what is kept is a hash', async () => {
    const { clientId, clientSecret } = await newApplication();
    const used = async () => {
      const { credentials } = await server.admin.call('listApplicationCredentials', { clientId });
      return credentials.map(({ lastUsedDateTimeUtc }) => lastUsedDateTimeUtc !== null);
    };
    expect(await used()).toEqual([false]);
    await bySecret(clientId, clientSecret);
    expect(await used()).toEqual([true]);
    expect(JSON.stringify(storeRows(server.dataFolder, 'select * from application_secrets'))).not.toContain(
      clientSecret,
    );
  });

  test('a native application gets none, and no tokens of its own', async () => {
    const { clientId } = await server.admin.call('createNativeApplication', { name: 'cli' });
    await expect(server.admin.call('addApplicationSecret', { clientId, validDays: null })).rejects.toThrow('native');
    expect((await bySecret(clientId, 'x')).number).toBe(7000215);
    expect((await ask({ client_id: clientId })).number).toBe(900144);
  });
});

describe('a certificate', () => {
  const assert = async (by: Signer, claims: Record<string, unknown> = {}, more: Record<string, string> = {}) =>
    ask({
      client_id: application.clientId,
      client_assertion_type: JWT_BEARER,
      client_assertion: await by.sign({
        clientId: application.clientId,
        audience: `${server.url}/${application.tenantId}/oauth2/v2.0/token`,
        claims,
      }),
      ...more,
    });

  test('signs an assertion, in either form of the endpoint', async () => {
    expect((await assert(signer)).status).toBe(200);
    const v1 = `${server.url}/${application.tenantId}/oauth2/token`;
    expect((await assert(signer, { aud: v1 })).status).toBe(200);
    expect((await assert(signer, { aud: server.url })).status).toBe(200);
    expect((await assert(signer, {}, { client_id: '' })).status).toBe(200);
  });

  test('may be of RSA with PSS and of P-256, and is found by each of its names', async () => {
    for (const algorithm of ['PS256', 'ES256'] as const)
      for (const name of ['x5t', 'x5t#S256', 'kid'] as const) {
        const other = await newSigner(algorithm, name);
        await server.admin.call('addApplicationCertificate', { clientId: application.clientId, pem: other.pem });
        expect([algorithm, name, (await assert(other)).status]).toEqual([algorithm, name, 200]);
      }
  });

  test('is refused where anything of the assertion does not fit', async () => {
    const seconds = Math.floor(Date.now() / 1_000);
    const numbers: Readonly<Record<string, readonly [Record<string, unknown>, number]>> = {
      'another audience': [{ aud: 'https://login.example/token' }, 700027],
      'another issuer': [{ iss: crypto.randomUUID() }, 700027],
      'an end long ago': [{ exp: seconds - 4_000 }, 700024],
      'a start far ahead': [{ nbf: seconds + 4_000 }, 700027],
      'an end far away': [{ exp: seconds + 90_000 }, 700027],
      'no end': [{ exp: undefined }, 700027],
    };
    for (const [name, [claims, number]] of Object.entries(numbers))
      expect([name, (await assert(signer, claims)).number]).toEqual([name, number]);
  });

  test('is refused when it is not the application’s, or signs what another one would', async () => {
    expect((await assert(await newSigner('RS256'))).number).toBe(700027);
    const forged = await newSigner('RS256', 'x5t', signer.pem);
    expect((await assert(forged)).number).toBe(700027);
  });

  test('an assertion is good once, also after a restart', async () => {
    const jti = crypto.randomUUID();
    expect((await assert(signer, { jti })).status).toBe(200);
    expect((await assert(signer, { jti })).number).toBe(700027);
    await server.restart();
    expect((await assert(signer, { jti })).number).toBe(700027);
  });

  test('is added once, and only when it is one', async () => {
    const { clientId } = application;
    const add = (pem: string) => server.admin.call('addApplicationCertificate', { clientId, pem });
    await expect(add(signer.pem)).rejects.toThrow('already');
    await expect(add('no certificate')).rejects.toThrow('Expected a certificate');
  });
});

test('an application may use its own grants only', async () => {
  const { clientId, clientSecret } = await server.admin.call('createApplication', {
    name: 'web',
    roles: ['Machine.Read.All'],
    grants: ['authorization_code'],
  });
  const told = await bySecret(clientId, clientSecret);
  expect([told.status, told.error]).toEqual([400, 'unauthorized_client']);
});

test('sign-ins and refused ones are in the audit, without what was secret', async () => {
  const { clientId, clientSecret } = await newApplication();
  await bySecret(clientId, clientSecret);
  await bySecret(clientId, 'a wrong guess');
  // what is counted is written by the clock, and when the server stops
  await server.restart();
  const rows = storeRows(server.dataFolder, "select * from audit where event like 'sign-in.%' order by seq").map(
    ({ detail, ...row }) => ({ ...row, detail: JSON.parse(String(detail)) }),
  );
  const ours = rows.filter(({ detail }) => detail.about === clientId);
  expect(ours).toMatchObject([
    {
      event: 'sign-in.refused',
      actor: 'stranger',
      subject: 'client_credentials',
      detail: { code: 'invalid_client 7000215', origin: { address: '127.0.0.1' } },
    },
  ]);
  expect(rows).toContainEqual(expect.objectContaining({ event: 'sign-in.issued', actor: 'soar' }));
  expect(JSON.stringify(rows)).not.toContain('a wrong guess');
});

test('a client that fails again and again is told to wait, and no other one with it', async () => {
  const { clientId, clientSecret } = await newApplication();
  const other = await newApplication();
  const told = async () => (await bySecret(clientId, 'wrong')).status;
  for (let count = 0; count < 21; count++) expect(await told()).toBe(401);
  expect(await told()).toBe(429);
  const waiting = await bySecret(clientId, clientSecret);
  expect([waiting.status, waiting.error, waiting.number]).toEqual([429, 'temporarily_unavailable', 50053]);
  expect((await bySecret(other.clientId, other.clientSecret)).status).toBe(200);
  await server.restart();
  const rows = storeRows(server.dataFolder, "select detail from audit where event = 'sign-in.refused'");
  const codes = rows.map(({ detail }) => JSON.parse(String(detail))).filter(({ about }) => about === clientId);
  expect(codes.map(({ code, count }) => [code, count])).toEqual([
    ['invalid_client 7000215', 21],
    ['temporarily_unavailable 50053', 2],
  ]);
});
