/** Security keys as second factors, by a key in software: what is taken, what is refused, and what the audit tells. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { type SoftKey, softKey } from '@longarm/testkit/soft-key';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { decodeJwt } from 'jose';
import { codesOn, DESK, hiddenField, keyOptions, newPerson, PASSWORD, signInOnDevice, submit } from './people-world.ts';
import { storeRows } from './store-rows.ts';

let server: TestServer;
let clientId: string;
beforeAll(async () => {
  server = await startTestServer(['--listen', 'localhost:0']);
  ({ clientId } = await server.admin.call('createNativeApplication', { name: 'console' }));
});
afterAll(() => server.stop());

const RP_ID = 'localhost';
const desk = async (form: Readonly<Record<string, string>>) => (await submit(server, DESK, form)).text;
const askedBy = (page: string) => ({ challenge: keyOptions(page).challenge, origin: server.url, rpId: RP_ID });

const addTo = async (page: string, key: SoftKey, credential = key.create(askedBy(page)), name = 'blue') =>
  desk({ desk: hiddenField(page, 'desk'), do: 'add-key', 'key-name': name, credential });

/** Somebody with one key, which has counted to 1. */
const withKey = async (name: string) => {
  await newPerson(server, name);
  const key = softKey();
  const page = await addTo(await desk({ name, password: PASSWORD }), key);
  return { key, page };
};
const signIn = (name: string, credentialFor: (page: string) => string) =>
  signInOnDevice(server, clientId, { name, answer: (page) => ({ credential: credentialFor(page) }) });
const audited = (event: string) =>
  storeRows(server.dataFolder, `select actor, detail from audit where event = 'person.${event}'`);

test('a key is asked for by the server’s own name, taken on, shown, and is a second factor from then on', async () => {
  await newPerson(server, 'anna');
  const first = await submit(server, DESK, { name: 'anna', password: PASSWORD });
  expect(keyOptions(first.text)).toMatchObject({
    rp: { id: RP_ID },
    user: { name: 'anna' },
    attestation: 'none',
    excludeCredentials: [],
  });
  const key = softKey();
  const page = await addTo(first.text, key, undefined, '<b>blue</b>');
  expect(page).toMatch(/&lt;b&gt;blue&lt;\/b&gt; <small>added \d{4}-\d\d-\d\d, not used yet/);
  expect(codesOn(page)).toHaveLength(10);
  expect(keyOptions(page).excludeCredentials).toEqual([{ type: 'public-key', id: key.id, transports: ['usb'] }]);
  const { text, token } = await signIn('anna', (asking) => key.get(askedBy(asking), 1));
  expect([text.includes('Done'), decodeJwt(token).amr]).toEqual([true, ['pwd', 'mfa']]);
  const [row] = storeRows(server.dataFolder, 'select counter, last_used_at from security_keys');
  expect([row?.counter, typeof row?.last_used_at]).toEqual([1, 'number']);
  expect((await server.admin.call('listPeople', {})).people).toContainEqual(
    expect.objectContaining({ name: 'anna', securityKeys: 1, hasSecondFactor: true, hasAuthenticatorApp: false }),
  );
  expect(audited('security-key-added')).toContainEqual({ actor: 'anna', detail: '{"key":"<b>blue</b>"}' });
});

test('several keys are kept, without new recovery codes; one is removed by itself, and another one goes on', async () => {
  const { key, page } = await withKey('ben');
  const second = softKey();
  const more = await addTo(page, second, undefined, '');
  expect([codesOn(more), more.includes('Remove Security key')]).toEqual([[], true]);
  expect(await desk({ desk: hiddenField(more, 'desk'), do: 'remove-key', key: key.id })).not.toContain('Remove blue');
  expect((await signIn('ben', (asking) => key.get(askedBy(asking), 1))).text).toContain('not one of your keys');
  expect((await signIn('ben', (asking) => second.get(askedBy(asking), 1))).text).toContain('Done');
});

test('recovery codes are good without a key', async () => {
  const { page } = await withKey('cora');
  const [code = ''] = codesOn(page);
  const { text } = await signInOnDevice(server, clientId, { name: 'cora', answer: () => ({ code }) });
  expect(text).toContain('Done');
});

describe('a counter', () => {
  test('that does not grow is that of a copy: refused, and told to the audit', async () => {
    const { key } = await withKey('dora');
    expect((await signIn('dora', (page) => key.get(askedBy(page), 7))).text).toContain('Done');
    for (const counter of [7, 6, 0]) {
      const { text, told } = await signIn('dora', (page) => key.get(askedBy(page), counter));
      expect([text.includes('as if there were a copy'), told.json.error]).toEqual([true, 'authorization_pending']);
    }
    expect(audited('security-key-counter-fell')).toEqual(
      [7, 6, 0].map((counter) => ({
        actor: 'dora',
        detail: JSON.stringify({ key: 'blue', counter, lastCounter: 7 }),
      })),
    );
    expect((await signIn('dora', (page) => key.get(askedBy(page), 8))).text).toContain('Done');
  });

  test('of a key that counts nothing stays at 0', async () => {
    const { key } = await withKey('emil');
    for (const _ of [1, 2]) expect((await signIn('emil', (page) => key.get(askedBy(page), 0))).text).toContain('Done');
  });
});

describe('refused is', () => {
  test('an answer to another challenge, for another origin or another server, of another key, or none', async () => {
    const { key } = await withKey('finn');
    const other = softKey();
    const wrong: readonly (readonly [string, (page: string) => string])[] = [
      ['Unexpected authentication response challenge', (page) => key.get({ ...askedBy(page), challenge: 'x' }, 1)],
      ['response origin', (page) => key.get({ ...askedBy(page), origin: 'https://evil.example' }, 1)],
      ['RP ID', (page) => key.get({ ...askedBy(page), rpId: 'evil.example' }, 1)],
      ['not one of your keys', (page) => other.get(askedBy(page), 1)],
      ['expected the JSON of a public key credential', () => '{'],
      ['signature does not fit', (page) => other.get(askedBy(page), 1).replaceAll(other.id, key.id)],
    ];
    for (const [sentence, credentialFor] of wrong.slice(0, 5)) {
      const { text, told } = await signIn('finn', credentialFor);
      expect([sentence, text.includes(sentence), told.json.error]).toEqual([sentence, true, 'authorization_pending']);
    }
    const [, forged] = wrong[5] ?? ['', () => ''];
    expect((await signIn('finn', forged)).text).toContain('signature does not fit');
  });

  test('the answer of somebody else’s key, and the same answer twice', async () => {
    const { key } = await withKey('gina');
    await withKey('hans');
    expect((await signIn('hans', (page) => key.get(askedBy(page), 1))).text).toContain('not one of your keys');
    const first = await signIn('gina', (page) => key.get(askedBy(page), 1));
    expect(first.text).toContain('Done');
    const again = await submit(server, '/device', { ...first.form, step: first.step, credential: 'x' });
    expect(again.text).toContain('is not known, or is over');
  });

  test('an attestation with certificates, before any of their addresses is asked', async () => {
    await newPerson(server, 'ida');
    const page = await desk({ name: 'ida', password: PASSWORD });
    const key = softKey();
    const attested = key.create(askedBy(page), { fmt: 'packed', x5c: new Uint8Array(64) });
    expect(await addTo(page, key, attested)).toContain('expected no attestation, got packed');
  });

  test('a key that is registered already, by whomever', async () => {
    const { key } = await withKey('jana');
    await newPerson(server, 'kurt');
    const page = await desk({ name: 'kurt', password: PASSWORD });
    expect(await addTo(page, key)).toContain('is registered here already');
    expect((await signIn('kurt', () => 'x')).text).toContain('Done');
  });

  test('a challenge of registration when signing in, and of signing in when registering', async () => {
    const { key, page } = await withKey('lena');
    const registering = askedBy(page).challenge;
    const { text } = await signIn('lena', (asking) => key.get({ ...askedBy(asking), challenge: registering }, 1));
    expect(text).toContain('response challenge');
    const { step } = await signInOnDevice(server, clientId, { name: 'lena' });
    expect(await desk({ desk: step, do: 'add-key', credential: softKey().create(askedBy(page)) })).toContain(
      'took too long, or was sent before',
    );
  });

  test('a name of two lines, or a long one', async () => {
    const { page } = await withKey('mia');
    const bad = await addTo(page, softKey(), undefined, 'a\nb');
    expect(bad).toContain('Expected a name of up to 60 characters');
    expect(await addTo(bad, softKey(), undefined, 'x'.repeat(61))).toContain('Expected a name of up to 60');
  });

  test('the twenty-first key of a person', async () => {
    let { page } = await withKey('nina');
    for (let count = 1; count < 20; count++) page = await addTo(page, softKey());
    expect(page).not.toContain('as many security keys as can be kept');
    expect(await addTo(page, softKey())).toContain('as many security keys as can be kept');
  });
});

test('of two who know a password alone and come at once, one registers a key', async () => {
  await newPerson(server, 'quinn');
  const pages = await Promise.all([1, 2, 3].map(() => desk({ name: 'quinn', password: PASSWORD })));
  const told = await Promise.all(pages.map((page) => addTo(page, softKey())));
  expect(told.filter((page) => codesOn(page).length === 10)).toHaveLength(1);
  expect(told.filter((page) => page.includes('sign in again with it'))).toHaveLength(2);
  const { people } = await server.admin.call('listPeople', {});
  expect(people.find(({ name }) => name === 'quinn')?.securityKeys).toBe(1);
});

test('the administrator’s reset forgets them', async () => {
  await withKey('olaf');
  await server.admin.call('changePerson', { name: 'olaf', resetSecondFactor: true });
  expect((await signIn('olaf', () => 'x')).text).toContain('Done');
});

test('a server that is known by an IP address, or without TLS, says that there are no keys, whatever a header says', async () => {
  const flags = [[], ['--public-url', 'http://lr.example'], ['--trust-proxy']];
  const sentences = ['need a server with a name', 'need https', 'need a server with a name'];
  for (const [index, more] of flags.entries()) {
    const other = await startTestServer(more);
    await newPerson(other, 'anna');
    const headers = { host: 'lr.example', 'x-forwarded-host': 'lr.example', 'x-forwarded-proto': 'https' };
    const { text, headers: answered } = await submit(other, DESK, { name: 'anna', password: PASSWORD }, headers);
    expect([text.includes(sentences[index] ?? '-'), text.includes('data-key')]).toEqual([true, false]);
    expect(answered.get('content-security-policy')).not.toContain('script');
    await other.stop();
  }
});

test('one script of ours runs where keys are used, named by its hash, and none anywhere else', async () => {
  await newPerson(server, 'paul');
  const first = await submit(server, DESK, { name: 'paul', password: PASSWORD });
  const policy =
    /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/;
  expect(first.headers.get('content-security-policy')).toMatch(policy);
  const [tag = '', ...more] = first.text.match(/<script[^>]*>/g) ?? [];
  const script = await fetch(`${server.url}/sign-in/security-key.js`);
  const hash = createHash('sha256')
    .update(await script.text())
    .digest('base64');
  expect([tag, more]).toEqual([`<script src="/sign-in/security-key.js" integrity="sha256-${hash}" defer>`, []]);
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.headers.get('x-content-type-options')).toBe('nosniff');
  await addTo(first.text, softKey());
  const asked = await signInOnDevice(server, clientId, { name: 'paul' });
  expect(asked.headers.get('content-security-policy')).toMatch(policy);
  for (const path of [DESK, '/device', '/sign-in/set-up?secret=x', '/docs'])
    expect((await fetch(server.url + path)).headers.get('content-security-policy')).not.toContain('script');
});
