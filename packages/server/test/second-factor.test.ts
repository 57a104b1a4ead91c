/** A second factor: how it is got, that it is asked for, and that each code is good once. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { decodeJwt } from 'jose';
import { askToken, newPerson, PASSWORD, submit } from './people-world.ts';
import { storeRows } from './store-rows.ts';

let server: TestServer;
let clientId: string;
beforeAll(async () => {
  server = await startTestServer();
  const grants = ['password', 'device_code', 'refresh_token'] as const;
  ({ clientId } = await server.admin.call('createNativeApplication', { name: 'console', grants: [...grants] }));
});
afterAll(() => server.stop());

/** What an authenticator app shows `steps` steps from now. */
const appCode = (secret: string, steps = 0): string => {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes =
    bits
      .join('')
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2)) ?? [];
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};

const PAGE = '/sign-in/second-factor';
const taken = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';

const enrol = async (name: string) => {
  const offer = (await submit(server, PAGE, { name, password: PASSWORD })).text;
  const secret = taken(offer, /app: <code>([A-Z2-7]+)</);
  const sealed = taken(offer, /name="sealed" value="([^"]+)"/);
  const { text } = await submit(server, PAGE, { sealed, code: appCode(secret) });
  return { secret, text, codes: [...text.matchAll(/<li><code>([a-z2-7-]+)</g)].map(([, code]) => code ?? '') };
};

/** Signs in on the device page, which takes a code; what it says. */
const signIn = async (name: string, code: string) => {
  const { json } = await askToken(server, { client_id: clientId }, '/default/oauth2/v2.0/devicecode');
  const form = { user_code: json.user_code, name, password: PASSWORD, code, answer: 'allow' };
  const { text } = await submit(server, '/device', form);
  const told = await askToken(server, { grant_type: 'device_code', client_id: clientId, code: json.device_code });
  return { text, token: told.json.access_token };
};

test('who has one is not let in by a password alone, and by each code once', async () => {
  await newPerson(server, 'anna');
  const { secret, codes } = await enrol('anna');
  expect(codes).toHaveLength(10);
  const form = { grant_type: 'password', client_id: clientId, username: 'anna', password: PASSWORD };
  expect((await askToken(server, form)).number).toBe(50076);
  expect((await signIn('anna', '')).text).toContain('multi-factor');
  // the present one was used; should the clock go on meanwhile, the next one is good all the same
  const code = appCode(secret, 1);
  const { text, token } = await signIn('anna', code);
  expect([text.includes('Done'), decodeJwt(token).amr]).toEqual([true, ['pwd', 'mfa']]);
  expect((await signIn('anna', code)).text).toContain('was used before');
});

test('a recovery code is good once in place of one, and is kept as a hash', async () => {
  await newPerson(server, 'ben');
  const { codes } = await enrol('ben');
  const [first = ''] = codes;
  expect((await signIn('ben', first.toUpperCase())).text).toContain('Done');
  expect((await signIn('ben', first)).text).toContain('was used before');
  const [row] = storeRows(server.dataFolder, "select * from people where name = 'ben'");
  expect(JSON.parse(String(row?.recovery_sha256))).toHaveLength(9);
  for (const code of codes) expect(JSON.stringify(row)).not.toContain(code);
});

test('the secret is not in the database as it is', async () => {
  await newPerson(server, 'cora');
  const { secret } = await enrol('cora');
  expect(secret).toHaveLength(32);
  expect(JSON.stringify(storeRows(server.dataFolder, 'select * from people'))).not.toContain(secret);
});

test('a code that does not fit keeps nothing; nor does an offer that was not made here', async () => {
  await newPerson(server, 'dora');
  const offer = (await submit(server, PAGE, { name: 'dora', password: PASSWORD })).text;
  const sealed = taken(offer, /name="sealed" value="([^"]+)"/);
  expect((await submit(server, PAGE, { sealed, code: '000000x' })).text).toContain('not the one of this secret');
  expect((await submit(server, PAGE, { sealed: [...sealed].reverse().join(''), code: '1' })).text).toContain(
    'took too long',
  );
  expect((await submit(server, PAGE, { name: 'dora', password: 'wrong' })).text).toContain('invalid username');
  expect((await signIn('dora', '')).text).toContain('Done');
});

test('the administrator’s reset takes it away', async () => {
  await newPerson(server, 'emil');
  await enrol('emil');
  await server.admin.call('resetPerson', { name: 'emil' });
  const { people } = await server.admin.call('listPeople', {});
  expect(people.find(({ name }) => name === 'emil')).toMatchObject({ hasSecondFactor: false, hasPassword: false });
});
