/** People at the pages: what they type, and what their apps show. */
import { createHmac } from 'node:crypto';
import type { Json } from '@longarm/testkit/api-caller';
import type { TestServer } from '@longarm/testkit/test-server';
import type { Page } from 'playwright-core';

export const PASSWORD = 'correct horse battery';
const DESK = '/sign-in/second-factor';

export const askToken = async (server: TestServer, path: string, form: Readonly<Record<string, string>>) => {
  const answer = await fetch(`${server.url}/default/oauth2/v2.0/${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return (await answer.json()) as Json;
};

/** What a token says, unverified: the server's own tests verify it. */
export const claimsOf = (token: string): Json =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));

/** The link by which somebody new chooses a password. */
export const invite = async (server: TestServer, name: string, secondFactor: 'optional' | 'required' = 'optional') => {
  const person = { name, roles: ['Data.View' as const], deviceGroups: 'all' as const, secondFactor };
  return server.admin.call('createPerson', person);
};

/** Somebody who has chosen their password. */
export const newPerson = async (
  server: TestServer,
  name: string,
  secondFactor: 'optional' | 'required' = 'optional',
) => {
  const { secret } = await invite(server, name, secondFactor);
  const body = new URLSearchParams({ secret, password: PASSWORD, again: PASSWORD });
  await fetch(`${server.url}/sign-in/set-up`, { method: 'POST', body });
};

export const typeCredentials = async (page: Page, name: string): Promise<void> => {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
};

/** To the page of one's own second factors. */
export const enterDesk = async (page: Page, server: TestServer, name: string): Promise<void> => {
  await page.goto(server.url + DESK);
  await typeCredentials(page, name);
  await page.getByRole('button', { name: 'Go on' }).click();
};

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What an authenticator app shows, `steps` steps from now. */
export const appCode = (secret: string, steps = 0): string => {
  const bits = [...secret.replaceAll(' ', '')].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};

/** A device that waits for its person: its code, and what its poll is told. */
export const newDevice = async (server: TestServer, clientId: string) => {
  const started = await askToken(server, 'devicecode', { client_id: clientId, scope: 'offline_access' });
  const grant = 'urn:ietf:params:oauth:grant-type:device_code';
  return {
    userCode: started.user_code as string,
    address: started.verification_uri_complete as string,
    poll: () => askToken(server, 'token', { grant_type: grant, client_id: clientId, device_code: started.device_code }),
  };
};
