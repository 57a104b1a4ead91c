/** People of a test: made by the administrator, with a password that they chose on the page. */
import { createHmac } from 'node:crypto';
import type { AdminAnswer } from '@longarm/contract/admin/operations';
import type { PersonRole } from '@longarm/contract/permission';
import type { Json } from '@longarm/testkit/api-caller';
import type { TestServer } from '@longarm/testkit/test-server';

export const PASSWORD = 'correct horse battery';

export type Told = { readonly status: number; readonly number: number | undefined; readonly json: Json };

/** Asks a token endpoint; the number is that of AADSTS. */
export const askToken = async (
  server: TestServer,
  form: Readonly<Record<string, string>>,
  path = '/default/oauth2/v2.0/token',
): Promise<Told> => {
  const response = await fetch(server.url + path, { method: 'POST', body: new URLSearchParams(form) });
  const json = JSON.parse(await response.text());
  return { status: response.status, number: json.error_codes?.[0], json };
};

/** Sends a form as a browser would; the page that comes back. */
export const submit = async (
  server: TestServer,
  path: string,
  form: Readonly<Record<string, string>>,
  headers = {},
) => {
  const init = { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' as const, headers };
  const response = await fetch(server.url + path, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

export const choosePassword = (server: TestServer, link: AdminAnswer<'createPerson'>, password = PASSWORD) =>
  submit(server, '/sign-in/set-up', { secret: link.secret, password, again: password });

export const newPerson = async (
  server: TestServer,
  name: string,
  { roles = ['LiveResponse.Advanced'] as PersonRole[], deviceGroups = 'all' as 'all' | string[] } = {},
): Promise<string> => {
  const link = await server.admin.call('createPerson', { name, roles, deviceGroups });
  await choosePassword(server, link);
  return name;
};

const asText = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** The value of a hidden field of a page; empty where there is none. */
export const hiddenField = (page: string, name: string): string =>
  asText(new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '');

/** What the page asks a security key for, as JSON. */
export const keyOptions = (page: string): Json =>
  JSON.parse(asText(/data-options="([^"]*)"/.exec(page)?.[1] ?? 'null'));

/** What an authenticator app shows `steps` steps from now. */
export const appCode = (secret: string, steps = 0): string => {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};

export const DESK = '/sign-in/second-factor';

/** The recovery codes that a page shows. */
export const codesOn = (page: string): readonly string[] =>
  [...page.matchAll(/<li><code>([a-z2-7-]+)</g)].map(([, code]) => code ?? '');

/** Adds an authenticator app for somebody who has no second factor. */
export const enrolApp = async (server: TestServer, name: string) => {
  const desk = (await submit(server, DESK, { name, password: PASSWORD })).text;
  const page = (await submit(server, DESK, { desk: hiddenField(desk, 'desk'), do: 'offer-app' })).text;
  const secret = (/<p class="notice"><code>([A-Z2-7 ]+)</.exec(page)?.[1] ?? '').replaceAll(' ', '');
  const form = { desk: hiddenField(page, 'desk'), do: 'confirm-app', offer: hiddenField(page, 'offer') };
  const { text } = await submit(server, DESK, { ...form, code: appCode(secret) });
  return { secret, text, codes: codesOn(text) };
};

/** A person at the device page: with their password, and what answers the second step; the token of the device. */
export const signInOnDevice = async (
  server: TestServer,
  clientId: string,
  who: {
    readonly name: string;
    readonly answer?: (page: string) => Readonly<Record<string, string>>;
  },
) => {
  const { json } = await askToken(server, { client_id: clientId }, '/default/oauth2/v2.0/devicecode');
  const form = { user_code: json.user_code, answer: 'allow' };
  const first = await submit(server, '/device', { ...form, name: who.name, password: PASSWORD });
  const step = hiddenField(first.text, 'step');
  const second =
    step === '' || who.answer === undefined
      ? first
      : await submit(server, '/device', { ...form, step, ...who.answer(first.text) });
  const told = await askToken(server, { grant_type: 'device_code', client_id: clientId, code: json.device_code });
  return { text: second.text, headers: second.headers, form, step, token: told.json.access_token as string, told };
};
