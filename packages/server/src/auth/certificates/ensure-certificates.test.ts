import 'reflect-metadata';
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createHash, X509Certificate } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  X509Certificate as Certificate,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509';
import { type Certificates, ensureCertificates } from './ensure-certificates.ts';

const DAY = 86_400_000;
const NAMES = ['localhost', '127.0.0.1', '::1', 'Longarm.Example.ORG'];

let folder = '';
let time = 0;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'longarm-certificates-')), 'tls');
  time = Date.now();
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const ensure = (names: readonly string[] = NAMES): Promise<Certificates> =>
  ensureCertificates({ folder, names, now: () => time });

const leafOf = (certificates: Certificates): X509Certificate => new X509Certificate(certificates.certificatePem);
const caOf = (certificates: Certificates): X509Certificate => new X509Certificate(certificates.caPem);

const serve = (certificates: Certificates) =>
  Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { cert: certificates.certificatePem, key: certificates.keyPem },
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('hello')),
    websocket: { message: (socket, message) => void socket.send(`echo ${message}`) },
  });

test('a client that trusts the CA connects by address and by name; one that does not is refused', async () => {
  const certificates = await ensure();
  const server = serve(certificates);
  try {
    for (const host of ['127.0.0.1', 'localhost']) {
      const url = `https://${host}:${server.port}/`;
      const answer = await fetch(url, { tls: { ca: certificates.caPem } });
      expect(await answer.text()).toBe('hello');
      await expect(fetch(url)).rejects.toThrow();
    }
  } finally {
    await server.stop(true);
  }
});

test('a name that the certificate does not vouch for is refused', async () => {
  const certificates = await ensure(['localhost']);
  const server = serve(certificates);
  try {
    const byAddress = fetch(`https://127.0.0.1:${server.port}/`, { tls: { ca: certificates.caPem } });
    await expect(byAddress).rejects.toThrow();
  } finally {
    await server.stop(true);
  }
});

test('a WebSocket over TLS works with the CA, and fails without it', async () => {
  const certificates = await ensure();
  const server = serve(certificates);
  const echo = (tls: { ca?: string }): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = new WebSocket(`wss://127.0.0.1:${server.port}/`, { tls });
    socket.onopen = () => socket.send('hi');
    socket.onmessage = ({ data }) => resolve(String(data));
    socket.onerror = () => reject(new Error('not connected'));
    return promise.finally(() => socket.close());
  };
  try {
    expect(await echo({ ca: certificates.caPem })).toBe('echo hi');
    await expect(echo({})).rejects.toThrow('not connected');
  } finally {
    await server.stop(true);
  }
});

test('the CA may sign servers and nothing below, for ten years', async () => {
  const certificates = await ensure();
  const ca = caOf(certificates);
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(certificates.fingerprints[0] as string).toBe(createHash('sha256').update(ca.raw).digest('hex'));
  expect((Date.parse(ca.validTo) - Date.parse(ca.validFrom)) / DAY).toBe(3_650);
  expect(Math.round((time - Date.parse(ca.validFrom)) / DAY)).toBe(1);
});

test('the restrictions are marked critical, and path and usages are as narrow as they can be', async () => {
  const { caPem, certificatePem } = await ensure();
  const read = (pem: string) => {
    const certificate = new Certificate(pem);
    const [constraints, usages] = [
      certificate.getExtension(BasicConstraintsExtension),
      certificate.getExtension(KeyUsagesExtension),
    ];
    return {
      critical: [constraints?.critical, usages?.critical],
      ca: constraints?.ca,
      pathLength: constraints?.pathLength,
      usages: usages?.usages,
      purposes: certificate.getExtension(ExtendedKeyUsageExtension)?.usages,
      subjectKey: certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId,
      authorityKey: certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId,
    };
  };
  const [ca, leaf] = [read(caPem), read(certificatePem)];
  const signs = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  expect(ca).toMatchObject({ critical: [true, true], ca: true, pathLength: 0, usages: signs });
  expect(leaf).toMatchObject({ critical: [true, true], ca: false, usages: KeyUsageFlags.digitalSignature });
  expect<unknown>(leaf.purposes).toEqual([ExtendedKeyUsage.serverAuth]);
  expect(ca.subjectKey).toMatch(/^[0-9a-f]{40}$/);
  expect(leaf.authorityKey).toBe(ca.subjectKey);
  expect(leaf.subjectKey).not.toBe(ca.subjectKey);
});

test('the server certificate has every name, in its type, for 397 days, since yesterday', async () => {
  const certificates = await ensure();
  const leaf = leafOf(certificates);
  expect(leaf.ca).toBe(false);
  expect(leaf.verify(caOf(certificates).publicKey)).toBe(true);
  expect(leaf.subjectAltName).toBe(
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:longarm.example.org',
  );
  expect((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / DAY).toBe(397);
  expect(Math.round((time - Date.parse(leaf.validFrom)) / DAY)).toBe(1);
  expect(certificates.renewAt).toBe(Date.parse(leaf.validTo) - 30 * DAY);
});

test('files are the owner’s alone, and none is left over', async () => {
  await ensure();
  expect((await readdir(folder)).toSorted()).toEqual(['authority.pem', 'ca.pem', 'server.pem']);
  for (const file of await readdir(folder)) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(await readFile(join(folder, 'ca.pem'), 'utf8')).not.toContain('PRIVATE');
});

test('a later start has the same, also with fewer names or another spelling of them', async () => {
  const first = await ensure();
  time += 300 * DAY;
  expect(await ensure()).toEqual(first);
  expect(await ensure(['LOCALHOST', '0:0:0:0:0:0:0:1'])).toEqual(first);
});

test('30 days before its end, and not earlier, the server certificate is renewed under the same CA', async () => {
  const first = await ensure();
  time = first.renewAt - 1;
  expect(await ensure()).toEqual(first);
  time = first.renewAt;
  const renewed = await ensure();
  expect(renewed.fingerprints).toEqual(first.fingerprints);
  expect(renewed.certificatePem).not.toBe(first.certificatePem);
  expect(leafOf(renewed).serialNumber).not.toBe(leafOf(first).serialNumber);
  expect(leafOf(renewed).verify(caOf(first).publicKey)).toBe(true);
  expect(await ensure()).toEqual(renewed);
});

test('a name that is missing, or a clock that was set back, gives a new server certificate', async () => {
  const first = await ensure(['localhost']);
  const named = await ensure(['localhost', '10.1.2.3']);
  expect(leafOf(named).subjectAltName).toContain('IP Address:10.1.2.3');
  expect(named.fingerprints).toEqual(first.fingerprints);
  time -= 2 * DAY;
  expect(Date.parse(leafOf(await ensure(['localhost'])).validFrom)).toBeLessThan(time);
});

test('no certificate outlives its CA, and a CA at its end is told', async () => {
  const first = await ensure();
  const end = Date.parse(caOf(first).validTo);
  time = end - 10 * DAY;
  const last = await ensure();
  expect(Date.parse(leafOf(last).validTo)).toBe(end);
  expect(await ensure()).toEqual(last);
  time = end;
  await expect(ensure()).rejects.toThrow(/ended at .*Restore it from a backup/);
});

test('a server certificate of another CA is replaced', async () => {
  const other = await ensureCertificates({ folder: join(folder, '..', 'other'), names: NAMES, now: () => time });
  const first = await ensure();
  await cp(join(folder, '..', 'other', 'server.pem'), join(folder, 'server.pem'));
  const healed = await ensure();
  expect(healed.certificatePem).not.toStartWith(leafOf(other).toString());
  expect(leafOf(healed).verify(caOf(first).publicKey)).toBe(true);
});

test.each(['authority.pem', 'server.pem'])('a damaged %s is refused and left as it is', async (file) => {
  await ensure();
  await ensureCertificates({ folder: join(folder, '..', 'other'), names: NAMES, now: () => time });
  const path = join(folder, file);
  const whole = await readFile(path, 'utf8');
  const foreign = await readFile(join(folder, '..', 'other', file), 'utf8');
  const keyAt = (text: string): number => text.indexOf('-----BEGIN PRIVATE');
  const contents = [
    '',
    whole.slice(0, keyAt(whole)),
    whole.slice(keyAt(whole)),
    whole.slice(0, -80),
    whole.replace(/MII../, 'AAAAA'),
    whole.slice(0, keyAt(whole)) + foreign.slice(keyAt(foreign)),
  ];
  for (const content of contents) {
    await writeFile(path, content);
    await expect(ensure()).rejects.toThrow(/Expected a certificate and its private key.*Restore it from a backup/);
    expect(await readFile(path, 'utf8')).toBe(content);
  }
});

test.each(['server.pem', 'ca.pem'])('a lost CA is not made anew while %s is there', async (left) => {
  await ensure();
  for (const file of await readdir(folder)) if (file !== left) await rm(join(folder, file));
  await expect(ensure()).rejects.toThrow(/authority.pem is missing.*Restore it from a backup/);
  expect(await readdir(folder)).toEqual([left]);
});

test('a start that was broken off after the CA goes on from there', async () => {
  const first = await ensure();
  await rm(join(folder, 'server.pem'));
  await rm(join(folder, 'ca.pem'));
  expect((await ensure()).fingerprints).toEqual(first.fingerprints);
});

test('several starts at once agree on one CA', async () => {
  const starts = await Promise.all(Array.from({ length: 5 }, () => ensure()));
  expect(new Set(starts.map(({ fingerprints }) => fingerprints.join())).size).toBe(1);
});

test.each(['', 'a b', '10.0.0.256', '*', 'https://x', 'x:443', '-a', 'a..b', 'ä.example', 'fe80::1%eth0'])(
  'the name %p is refused',
  (name) => expect(ensure([name])).rejects.toThrow(/Expected a DNS name or an IP address/),
);

test('no name at all is refused before anything is made', async () => {
  await expect(ensure([])).rejects.toThrow(/at least one name/);
  expect(await readdir(join(folder, '..'))).toEqual([]);
});
