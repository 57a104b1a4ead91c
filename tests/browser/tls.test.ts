/** Security keys as they are used in earnest: over TLS, by a certificate of the server's own authority. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@longarm/server/config';
import { openAdmin } from '@longarm/server/open-admin';
import { type RunningServer, startServer } from '@longarm/server/start';
import { openLog } from '@longarm/server/telemetry/log';
import type { Browser } from 'playwright-core';
import { hasChromium, openChromium, plugInKey } from './chromium.ts';
import { PASSWORD, typeCredentials } from './people.ts';

setDefaultTimeout(60_000);

const isReady = hasChromium('tls.test.ts');
let folder: string;
let server: RunningServer;
let browser: Browser;

/** SHA-256 of the public keys of all certificates in the folder, as the browser's flag wants them. */
const publicKeys = async (place: string): Promise<readonly string[]> => {
  const names = (await readdir(place)).filter((name) => name.endsWith('.pem'));
  const texts = await Promise.all(names.map((name) => readFile(join(place, name), 'utf8')));
  const certificates = texts.filter((text) => text.includes('BEGIN CERTIFICATE'));
  return certificates.map((text) => {
    const key = new X509Certificate(text).publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(key).digest('base64');
  });
};

beforeAll(async () => {
  if (!isReady) return;
  folder = await mkdtemp(join(tmpdir(), 'longarm-tls-'));
  const config = readConfig(['--data', folder, '--listen', 'localhost:0', '--log-level', 'error'], {});
  server = await startServer(config, openLog('error'));
  const trusted = (await publicKeys(join(folder, 'tls'))).join(',');
  browser = await openChromium([`--ignore-certificate-errors-spki-list=${trusted}`]);
});
afterAll(async () => {
  if (!isReady) return;
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

test.skipIf(!isReady)('a person chooses a password, adds a key, and comes back by it', async () => {
  const admin = await openAdmin(folder);
  const person = { name: 'anna', roles: ['Data.View' as const], deviceGroups: 'all' as const };
  const { url } = await admin.call('createPerson', person);
  await admin.close();
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await plugInKey(page);
  await page.goto(url ?? '');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByLabel('The same again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Keep it' }).click();
  const enter = async () => {
    await typeCredentials(page, 'anna');
    await page.getByRole('button', { name: 'Go on' }).click();
  };
  await page.getByRole('link', { name: 'Set up a second factor' }).click();
  await enter();
  await page.getByLabel('Name of the key').fill('blue');
  await page.getByRole('button', { name: 'Add a security key' }).click();
  await page.getByRole('button', { name: 'Remove blue' }).waitFor();
  await page.goto(`${server.url}/sign-in/second-factor`);
  await enter();
  await page.getByRole('button', { name: 'Use a security key' }).click();
  await page.getByText('last used').waitFor();
  expect(new URL(page.url()).protocol).toBe('https:');
});
