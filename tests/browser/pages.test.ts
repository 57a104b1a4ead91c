/** The pages for people in a real browser, on a real server: passwords, second factors, devices and applications. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { hasChromium, openChromium, picture, plugInKey } from './chromium.ts';
import {
  appCode,
  askToken,
  claimsOf,
  enterDesk,
  invite,
  newDevice,
  newPerson,
  PASSWORD,
  typeCredentials,
} from './people.ts';

setDefaultTimeout(60_000);

const isReady = hasChromium('pages.test.ts');
let browser: Browser;
let server: TestServer;
let clientId: string;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (!isReady) return;
  [server, browser] = await Promise.all([startTestServer(['--listen', 'localhost:0']), openChromium()]);
  ({ clientId } = await server.admin.call('createNativeApplication', { name: 'command-line' }));
});
afterAll(async () => {
  if (!isReady) return;
  await browser.close();
  await server.stop();
});
beforeEach(async () => {
  if (!isReady) return;
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
});
afterEach(() => (isReady ? context.close() : undefined));

const heading = () => page.getByRole('heading', { level: 1 }).textContent();
const text = () => page.locator('main').textContent();
const press = (name: string) => page.getByRole('button', { name }).click();
const titled = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

const addApp = async (): Promise<string> => {
  await press('Add an app');
  await titled('Add it to your app');
  const secret = (await page.locator('.notice code').textContent()) ?? '';
  await picture(page, 'app-offer');
  await page.getByLabel('The code that the app shows now').fill(appCode(secret));
  await press('Keep it');
  await page.getByText('Keep these recovery codes').waitFor();
  return secret;
};

const addKey = async (name: string): Promise<void> => {
  await page.getByLabel('Name of the key').fill(name);
  await press('Add a security key');
  await page.getByRole('button', { name: `Remove ${name}` }).waitFor();
};

/** At the page of a device: as far as the password. */
const letIn = async (name: string) => {
  const device = await newDevice(server, clientId);
  await page.goto(device.address);
  await typeCredentials(page, name);
  await press('Allow');
  return device;
};

describe.skipIf(!isReady)('a person', () => {
  test('chooses a password by the link, and is told when the two are not the same', async () => {
    const { url } = await invite(server, 'anna');
    await page.goto(url ?? '');
    await picture(page, 'set-up');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('The same again').fill('another one, later');
    await press('Keep it');
    expect(await page.getByRole('alert').textContent()).toContain('not the same');
    await picture(page, 'set-up-fault');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('The same again').fill(PASSWORD);
    await press('Keep it');
    await titled('Done');
    await picture(page, 'set-up-done');
    expect(await text()).toContain('anna can sign in now');
  });

  test('adds an app, and lets a device in by its code', async () => {
    await newPerson(server, 'ben');
    await enterDesk(page, server, 'ben');
    await picture(page, 'desk-empty');
    const secret = await addApp();
    await picture(page, 'desk-app');
    const device = await letIn('ben');
    await titled('Your second factor');
    await picture(page, 'factor-app');
    await page.getByLabel('Code of your authenticator app').fill('000000');
    await press('Go on');
    expect(await page.getByRole('alert').textContent()).toContain('is wrong, or was used before');
    await page.getByLabel('Code of your authenticator app').fill(appCode(secret, 1));
    await press('Go on');
    await titled('Done');
    expect(claimsOf((await device.poll()).access_token)).toMatchObject({ upn: 'ben', amr: ['pwd', 'mfa'] });
  });

  test('adds a security key, lets a device in by it, and cannot without', async () => {
    await newPerson(server, 'cora');
    const key = await plugInKey(page);
    await enterDesk(page, server, 'cora');
    await addKey('blue');
    expect(await page.locator('.codes li').count()).toBe(10);
    await picture(page, 'desk-key');
    expect(await key.credentials()).toHaveLength(1);
    const device = await letIn('cora');
    await titled('Your second factor');
    await picture(page, 'factor-key');
    await press('Use a security key');
    await titled('Done');
    await picture(page, 'device-done');
    expect(claimsOf((await device.poll()).access_token)).toMatchObject({ upn: 'cora', amr: ['pwd', 'mfa'] });
    expect((await key.credentials())[0]?.signCount).toBeGreaterThan(0);

    await key.unplug();
    await plugInKey(page);
    const second = await letIn('cora');
    await press('Use a security key');
    await page.getByText('No security key answered').waitFor();
    await picture(page, 'factor-key-fault');
    expect((await second.poll()).error).toBe('authorization_pending');
  });

  test('cannot register the same key twice, and removes it', async () => {
    await newPerson(server, 'dora');
    await plugInKey(page);
    await enterDesk(page, server, 'dora');
    await addKey('one');
    await page.getByLabel('Name of the key').fill('two');
    await press('Add a security key');
    await page.getByText('is registered already').waitFor();
    await press('Remove one');
    await page.getByText('You have none yet').waitFor();
  });

  test('who opens the page at another address than the server’s own is told where keys work', async () => {
    await newPerson(server, 'emil');
    const elsewhere = server.url.replace('localhost', 'other.localhost');
    await page.goto(`${elsewhere}/sign-in/second-factor`);
    await typeCredentials(page, 'emil');
    await press('Go on');
    await page.getByText(`only where this page is opened at ${server.url}`).waitFor();
    expect(await page.getByRole('button', { name: 'Add a security key' }).isDisabled()).toBe(true);
  });

  test('without script uses codes, and is told why there are no keys', async () => {
    await newPerson(server, 'finn');
    await plugInKey(page);
    await enterDesk(page, server, 'finn');
    await addKey('blue');
    const secret = await addApp();
    const plain = await browser.newContext({ javaScriptEnabled: false });
    page = await plain.newPage();
    const device = await letIn('finn');
    await page.locator('noscript p').waitFor();
    expect(await page.getByRole('button', { name: 'Use a security key' }).isVisible()).toBe(false);
    await picture(page, 'factor-no-script');
    await page.getByLabel('Code of your authenticator app').fill(appCode(secret, 1));
    await press('Go on');
    await titled('Done');
    expect(claimsOf((await device.poll()).access_token).amr).toEqual(['pwd', 'mfa']);
    await plain.close();
  });

  test('who must have a second factor sets it up first, and comes back to the device', async () => {
    await newPerson(server, 'gina', 'required');
    await plugInKey(page);
    const device = await letIn('gina');
    await titled('Set up a second factor first');
    await picture(page, 'enrol-first');
    expect((await device.poll()).error).toBe('authorization_pending');
    await press('Set it up');
    await titled('Your second factor');
    await picture(page, 'desk-required');
    await addKey('blue');
    await picture(page, 'desk-required-done');
    await page.getByRole('link', { name: 'Go on signing in' }).click();
    await titled('Let the device in?');
    await picture(page, 'device-ask');
    await typeCredentials(page, 'gina');
    await press('Allow');
    await press('Use a security key');
    await titled('Done');
  });

  test('types the code of a device, and denies it', async () => {
    await newPerson(server, 'hans');
    const device = await newDevice(server, clientId);
    await page.goto(`${server.url}/device`);
    await picture(page, 'device-code');
    await page.getByLabel('The code that the device shows').fill(device.userCode.toLowerCase());
    await press('Go on');
    await titled('Let the device in?');
    await typeCredentials(page, 'hans');
    await press('Deny');
    await titled('Denied');
    expect((await device.poll()).error).toBe('authorization_declined');
  });
});

describe.skipIf(!isReady)('an application', () => {
  test('gets a code by the browser, which its verifier turns into tokens; the second factor lies between', async () => {
    await newPerson(server, 'ida');
    await plugInKey(page);
    await enterDesk(page, server, 'ida');
    await addKey('blue');
    const verifier = 'v'.repeat(43);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    using back = Bun.serve({ hostname: 'localhost', port: 0, fetch: () => new Response('welcome back') });
    const redirect = `http://localhost:${back.port}/`;
    const query = { client_id: clientId, response_type: 'code', redirect_uri: redirect, state: 'a&b' };
    const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
    await page.goto(`${server.url}/default/oauth2/v2.0/authorize?${new URLSearchParams({ ...query, ...pkce })}`);
    await picture(page, 'authorize');
    await typeCredentials(page, 'ida');
    await press('Allow');
    await titled('Your second factor');
    await press('Use a security key');
    await page.getByText('welcome back').waitFor();
    const landed = new URL(page.url());
    expect([landed.origin, landed.searchParams.get('state')]).toEqual([new URL(redirect).origin, 'a&b']);
    const told = await askToken(server, 'token', {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: landed.searchParams.get('code') ?? '',
      redirect_uri: redirect,
      code_verifier: verifier,
    });
    expect(claimsOf(told.access_token)).toMatchObject({ upn: 'ida', amr: ['pwd', 'mfa'] });
  });
});

describe.skipIf(!isReady)('hostile text', () => {
  const HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

  test('is shown and not run: names of applications, of keys, and what a request says', async () => {
    const app = await server.admin.call('createNativeApplication', { name: HOSTILE });
    await newPerson(server, 'jana');
    const device = await newDevice(server, app.clientId);
    await page.goto(device.address);
    expect(await text()).toContain(HOSTILE);
    await page.goto(`${server.url}/sign-in/set-up?secret=${encodeURIComponent(`">${HOSTILE}`)}`);
    expect(await page.locator('img, main script').count()).toBe(0);
    await plugInKey(page);
    await enterDesk(page, server, 'jana');
    await addKey(HOSTILE.slice(0, 60));
    expect(await text()).toContain(HOSTILE.slice(0, 60));
    expect(await page.locator('img, main script').count()).toBe(0);
    expect(await page.evaluate('window.ran')).toBeUndefined();
  });

  test('that became a part of a page all the same runs nothing: the policy stops it', async () => {
    await newPerson(server, 'kurt');
    const inject = (kind: 'inline' | 'handler' | string) =>
      page.evaluate(
        `new Promise((told) => {
          document.addEventListener('securitypolicyviolation', (event) => told(event.effectiveDirective), { once: true });
          const kind = ${JSON.stringify(kind)};
          const made = document.createElement(kind === 'handler' ? 'button' : 'script');
          if (kind === 'inline') made.textContent = 'window.ran = 1';
          else if (kind === 'handler') made.setAttribute('onclick', 'window.ran = 1');
          else { made.src = kind; made.onload = () => told('loaded'); made.onerror = () => setTimeout(told, 0, 'not loaded'); }
          document.body.append(made);
          if (kind === 'handler') made.click();
        })`,
      );
    const own = `${server.url}/sign-in/security-key.js`;
    await page.goto(`${server.url}/device`);
    expect([await inject('inline'), await inject('handler'), await inject(own)]).toEqual([
      'script-src-elem',
      'script-src-attr',
      'script-src-elem',
    ]);
    await enterDesk(page, server, 'kurt');
    await page.getByRole('button', { name: 'Add a security key' }).waitFor();
    expect([await inject('inline'), await inject('handler')]).toEqual(['script-src-elem', 'script-src-attr']);
    expect(await inject('https://evil.example/x.js')).toBe('script-src-elem');
    // nothing else that this server answers is a script, whatever it holds
    for (const path of ['/openapi.json', '/docs', '/install.sh', '/device'])
      expect([path, await inject(server.url + path)]).toEqual([path, 'not loaded']);
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(await heading()).toBe('Your second factor');
  });
});
