/** A second factor: how it is got, that it is asked for, and that each code and each step is good once. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { decodeJwt } from 'jose';
import {
  appCode,
  askToken,
  choosePassword,
  DESK,
  enrolApp,
  hiddenField,
  newPerson,
  PASSWORD,
  signInOnDevice,
  submit,
} from './people-world.ts';
import { storeRows } from './store-rows.ts';

let server: TestServer;
let clientId: string;
beforeAll(async () => {
  server = await startTestServer();
  const grants = ['password', 'device_code', 'refresh_token'] as const;
  ({ clientId } = await server.admin.call('createNativeApplication', { name: 'console', grants: [...grants] }));
});
afterAll(() => server.stop());

const enrol = (name: string) => enrolApp(server, name);
const signIn = (name: string, code: string) => signInOnDevice(server, clientId, { name, answer: () => ({ code }) });
const byPassword = (username: string) =>
  askToken(server, {
    grant_type: 'password',
    client_id: clientId,
    username,
    password: PASSWORD,
    scope: 'offline_access',
  });
const desk = async (form: Readonly<Record<string, string>>) => (await submit(server, DESK, form)).text;
const audited = (event: string) =>
  storeRows(server.dataFolder, `select actor, detail from audit where event = '${event}'`);

test('an app is taken on by its code; from then on codes are asked for, and good once', async () => {
  await newPerson(server, 'anna');
  const { secret, text, codes } = await enrol('anna');
  expect([text.includes('Keep these recovery codes'), codes.length]).toEqual([true, 10]);
  expect((await byPassword('anna')).number).toBe(50076);
  expect((await signIn('anna', ' ')).text).toContain('got neither');
  // the present one was used; should the clock go on meanwhile, the next one is good all the same
  const code = appCode(secret, 1);
  const { text: told, token } = await signIn('anna', code);
  expect([told.includes('Done'), decodeJwt(token).amr]).toEqual([true, ['pwd', 'mfa']]);
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

test('a code that does not fit keeps nothing, and may be tried again; what was not offered here is not taken', async () => {
  await newPerson(server, 'dora');
  const offer = await desk({
    desk: hiddenField(await desk({ name: 'dora', password: PASSWORD }), 'desk'),
    do: 'offer-app',
  });
  const sealed = hiddenField(offer, 'offer');
  const wrong = await desk({ desk: hiddenField(offer, 'desk'), do: 'confirm-app', offer: sealed, code: '000000x' });
  expect([wrong.includes('not the one of this secret'), hiddenField(wrong, 'offer')]).toEqual([true, sealed]);
  const forged = { desk: hiddenField(wrong, 'desk'), do: 'confirm-app', offer: [...sealed].reverse().join('') };
  expect(await desk({ ...forged, code: '1' })).toContain('was not offered here');
  expect(await desk({ name: 'dora', password: 'wrong' })).toContain('invalid username');
  expect((await signIn('dora', '')).text).toContain('Done');
});

test('an app is replaced and removed by who has it; with the last factor the recovery codes go', async () => {
  await newPerson(server, 'ella');
  const first = await enrol('ella');
  const open = async (code: string) => {
    const asked = await desk({ name: 'ella', password: PASSWORD });
    return desk({ step: hiddenField(asked, 'step'), code });
  };
  const entered = await open(first.codes[0] ?? '');
  expect(entered).toContain('Replace the authenticator app');
  const left = await desk({ desk: hiddenField(entered, 'desk'), do: 'remove-app' });
  expect(left).toContain('You have none yet');
  const [row] = storeRows(server.dataFolder, "select totp_secret, recovery_sha256 from people where name = 'ella'");
  expect(row).toEqual({ totp_secret: null, recovery_sha256: '[]' });
  expect((await signIn('ella', '')).text).toContain('Done');
});

describe('a step from one form to the next', () => {
  test('is good once, for its page and its device alone, and not as a way to the factors', async () => {
    await newPerson(server, 'finn');
    const { codes } = await enrol('finn');
    const mine = await signInOnDevice(server, clientId, { name: 'finn' });
    const other = await signInOnDevice(server, clientId, { name: 'finn' });
    const send = async (form: Readonly<Record<string, string>>, path = '/device') =>
      (await submit(server, path, form)).text;
    const code = codes[1] ?? '';
    expect(await send({ ...other.form, step: mine.step, code })).toContain('took too long, or was sent before');
    expect(await send({ step: mine.step, code }, DESK)).toContain('took too long, or was sent before');
    expect(await send({ desk: mine.step, do: 'remove-app' }, DESK)).toContain('took too long, or was sent before');
    expect(await send({ ...mine.form, step: mine.step, code })).toContain('Done');
    expect(await send({ ...other.form, step: other.step, code: 'wrong' })).toContain('is wrong');
    expect(await send({ ...other.form, step: other.step, code: codes[2] ?? '' })).toContain('sent before');
  });

  test('ends with the password that it was got by', async () => {
    await newPerson(server, 'gina');
    const before = hiddenField(await desk({ name: 'gina', password: PASSWORD }), 'desk');
    await choosePassword(server, await server.admin.call('resetPerson', { name: 'gina' }), 'another one, later');
    expect(await desk({ desk: before, do: 'offer-app' })).toContain('took too long, or was sent before');
  });

  test('that was got by a password alone changes nothing any more once there is a factor', async () => {
    await newPerson(server, 'hans');
    const early = hiddenField(await desk({ name: 'hans', password: PASSWORD }), 'desk');
    await enrol('hans');
    expect(await desk({ desk: early, do: 'remove-app' })).toContain('sign in again with it');
    expect((await byPassword('hans')).number).toBe(50076);
  });

  test('guesses are counted over forms: who knows the password does not get a fresh start by it', async () => {
    await newPerson(server, 'ida');
    await enrol('ida');
    for (let count = 0; count < 6; count++) expect((await signIn('ida', '000000')).text).toContain('is wrong');
    expect((await signIn('ida', '000000')).text).toContain('Too many attempts');
    expect(
      (await askToken(server, { grant_type: 'password', client_id: clientId, username: ' ida ', password: 'x' }))
        .number,
    ).toBe(50053);
  });
});

describe('a second factor that an administrator asks for', () => {
  test('is set up first: there is no token before, by any way, and one with it', async () => {
    await newPerson(server, 'jana');
    const { json: before } = await byPassword('jana');
    const machines = async (token: string) =>
      (await fetch(`${server.url}/api/machines`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await machines(before.access_token)).toBe(200);
    await server.admin.call('changePerson', { name: 'jana', secondFactor: 'required' });
    expect(await machines(before.access_token)).toBe(401);
    const refresh = { grant_type: 'refresh_token', client_id: clientId, refresh_token: before.refresh_token };
    expect((await askToken(server, refresh)).number).toBe(50076);
    expect((await byPassword('jana')).number).toBe(50079);
    const { text, told } = await signInOnDevice(server, clientId, { name: 'jana' });
    expect([text.includes('Set up a second factor first'), told.json.error]).toEqual([true, 'authorization_pending']);

    const entered = await desk({ desk: hiddenField(text, 'desk'), do: 'show' });
    expect(entered).toContain('you cannot sign in before');
    const offer = await desk({ desk: hiddenField(entered, 'desk'), do: 'offer-app' });
    const secret = (/<p class="notice"><code>([A-Z2-7 ]+)</.exec(offer)?.[1] ?? '').replaceAll(' ', '');
    const form = { desk: hiddenField(offer, 'desk'), do: 'confirm-app', offer: hiddenField(offer, 'offer') };
    const done = await desk({ ...form, code: appCode(secret) });
    expect(done).toMatch(/<a class="button" href="\/device\?user_code=[A-Z]{4}-[A-Z]{4}">Go on signing in/);
    const after = await signIn('jana', appCode(secret, 1));
    expect([await machines(after.token), decodeJwt(after.token).amr]).toEqual([200, ['pwd', 'mfa']]);
    expect(await desk({ desk: hiddenField(done, 'desk'), do: 'remove-app' })).toContain('add another one before');
  });

  test('may be asked of everybody by the server, which the list of people says', async () => {
    const strict = await startTestServer(['--second-factor', 'required']);
    const grants = ['password', 'refresh_token'] as const;
    const app = await strict.admin.call('createNativeApplication', { name: 'console', grants: [...grants] });
    await newPerson(strict, 'kurt');
    const form = { grant_type: 'password', client_id: app.clientId, username: 'kurt', password: PASSWORD };
    expect((await askToken(strict, form)).number).toBe(50079);
    const { people } = await strict.admin.call('listPeople', {});
    expect(people).toEqual([expect.objectContaining({ secondFactor: 'required', hasSecondFactor: false })]);
    await strict.stop();
  });
});

test('the administrator takes it away, alone or with the password, and what was issued by it ends', async () => {
  await newPerson(server, 'emil');
  const { secret } = await enrol('emil');
  const { told } = await signIn('emil', appCode(secret, 1));
  await server.admin.call('changePerson', { name: 'emil', resetSecondFactor: true });
  const refresh = { grant_type: 'refresh_token', client_id: clientId, refresh_token: told.json.refresh_token };
  expect(typeof refresh.refresh_token).toBe('string');
  expect((await askToken(server, refresh)).number).toBe(70000);
  expect((await byPassword('emil')).status).toBe(200);
  expect(audited('person.second-factor-reset')).toEqual([{ actor: 'local administrator', detail: '{}' }]);
  await enrol('emil');
  await server.admin.call('resetPerson', { name: 'emil' });
  const { people } = await server.admin.call('listPeople', {});
  expect(people.find(({ name }) => name === 'emil')).toMatchObject({ hasSecondFactor: false, hasPassword: false });
});
