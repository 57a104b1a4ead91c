/** Signing in as a person, against a real server: the page, the session, and its renewal. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { openSession, type Session } from './session.ts';

const PASSWORD = 'correct horse battery';
let server: TestServer;
let session: Session;
let clientId: string;
const codes: string[] = [];
const terminal: { isTty: boolean; readonly answers: string[] } = { isTty: false, answers: [] };

const submit = (path: string, form: Readonly<Record<string, string>>) =>
  fetch(server.url + path, { method: 'POST', body: new URLSearchParams(form) });

beforeAll(async () => {
  server = await startTestServer();
  ({ clientId } = await server.admin.call('createNativeApplication', { name: 'cli' }));
  const link = await server.admin.call('createPerson', { name: 'anna', roles: ['Data.View'], deviceGroups: 'all' });
  await submit('/sign-in/set-up', { secret: link.secret, password: PASSWORD, again: PASSWORD });
  session = await openSession({
    io: {
      get isTty() {
        return terminal.isTty;
      },
      promptText: async () => terminal.answers.shift() ?? null,
      promptSecret: async () => terminal.answers.shift() ?? null,
      transport: async (url, init) => {
        const response = await fetch(url, init);
        // the person is quick: by the time of the first poll the device is let in
        if (url.endsWith('/devicecode')) {
          const { user_code: code } = (await response.clone().json()) as { user_code: string };
          codes.push(code);
          await submit('/device', { user_code: code, name: 'anna', password: PASSWORD, answer: 'allow' });
        }
        return response;
      },
    },
  });
});
afterAll(async () => {
  await session.close();
  await server.stop();
});

const profilePath = () => join(session.folder, 'config', 'longarm', 'profile.json');
const profile = async () => JSON.parse(await readFile(profilePath(), 'utf8'));

test('a person lets the command line in, and it works as they until their session ends', async () => {
  const running = session.bare('login', '--server', server.url, '--client-id', clientId, '--device-code');
  await session.world.timerOf(5_000);
  session.world.advance(5_000);
  const { code, out, err } = await running;
  expect([code, err.includes(codes[0] ?? 'no code'), out.includes('Signed in')]).toEqual([0, true, true]);
  const first = await profile();
  expect([first.secret, typeof first.session.refreshToken]).toEqual([null, 'string']);
  expect((await session.bare('machines')).code).toBe(0);
  expect((await profile()).session).toEqual(first.session);
  await writeFile(profilePath(), JSON.stringify({ ...first, session: { ...first.session, renewAtMs: 0 } }));
  expect((await session.bare('machines')).code).toBe(0);
  expect((await profile()).session.refreshToken).not.toBe(first.session.refreshToken);
  await server.admin.call('changePerson', { name: 'anna', disabled: true });
  expect((await session.bare('machines')).code).toBe(3);
});

let polls = 1;
/** Signs in without a client id, and lets the time to the first poll pass. */
const signIn = async (...flags: string[]) => {
  const running = session.bare('login', '--server', server.url, ...flags);
  await session.world.timerOf(5_000, ++polls);
  session.world.advance(5_000);
  return running;
};

test('without a client id the server says which application it is, where it is one, or one of that name', async () => {
  await server.admin.call('changePerson', { name: 'anna', disabled: false });
  expect((await signIn('--device-code')).code).toBe(0);
  expect(await profile()).toMatchObject({ clientId, secret: null });
  const other = await server.admin.call('createNativeApplication', { name: 'other' });
  expect(await session.bare('login', '--server', server.url, '--device-code')).toMatchObject({
    code: 2,
    err: expect.stringContaining('names none or several'),
  });
  const named = await server.admin.call('createNativeApplication', { name: 'command-line' });
  expect((await signIn('--device-code')).code).toBe(0);
  expect((await profile()).clientId).toBe(named.clientId);
  for (const { clientId: id } of [other, named]) await server.admin.call('deleteApplication', { clientId: id });
});

test('a person at a terminal needs to give nothing but the server; where there are several they are asked', async () => {
  terminal.isTty = true;
  expect((await signIn()).code).toBe(0);
  expect((await profile()).clientId).toBe(clientId);
  const other = await server.admin.call('createNativeApplication', { name: 'other' });
  terminal.answers.push(other.clientId, '');
  expect((await signIn()).code).toBe(0);
  expect((await profile()).clientId).toBe(other.clientId);
  terminal.answers.push('');
  expect((await session.bare('login', '--server', server.url)).code).toBe(2);
  terminal.isTty = false;
});

test('a script that gives no client id is told what to give, and nothing is asked of the server', async () => {
  const elsewhere = ['login', '--server', 'https://127.0.0.1:1'];
  expect(await session.bare(...elsewhere)).toMatchObject({ code: 2, err: expect.stringContaining('--device-code') });
  const alone = await session.bare(...elsewhere, '--secret-file', 'secret');
  expect(alone).toMatchObject({ code: 2, err: expect.stringContaining('Expected --client-id with the secret') });
});
