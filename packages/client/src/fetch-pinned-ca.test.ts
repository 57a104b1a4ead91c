import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type LoopbackCertificate, makeLoopbackCertificate } from '@longarm/testkit/loopback-certificate';
import { type RestFixture, startRestFixture } from '@longarm/testkit/rest-fixture';
import { fetchPinnedCa } from './fetch-pinned-ca.ts';

let fixture: RestFixture;
let certificate: LoopbackCertificate;
let served = '';
beforeAll(async () => {
  certificate = await makeLoopbackCertificate(Date.now());
  fixture = startRestFixture({ 'GET /agent/v1/ca.pem': () => new Response(served) }, { tls: certificate });
});
afterAll(() => fixture.stop());

const io = { transport: fetch, now: Date.now };

test('semantics 34: a CA with the expected fingerprint is returned, and trusts the server', async () => {
  served = certificate.caPem;
  const colons = certificate.caSha256.toUpperCase().replace(/(..)(?=.)/g, '$1:');
  const pem = await fetchPinnedCa(fixture.url, colons, io);
  const response = await fetch(`${fixture.url}agent/v1/ca.pem`, { tls: { ca: pem } });
  expect(response.status).toBe(200);
});

test('another CA is refused, with both fingerprints', async () => {
  const other = await makeLoopbackCertificate(Date.now());
  served = other.caPem;
  const refused = fetchPinnedCa(fixture.url, certificate.caSha256, io);
  await expect(refused).rejects.toMatchObject({ name: 'FingerprintMismatch' });
  await expect(refused).rejects.toThrow(other.caSha256);
});

test('only the certificate that was compared is believed, not one that comes beside it', async () => {
  const other = await makeLoopbackCertificate(Date.now());
  for (const both of [`${certificate.caPem}\n${other.caPem}`, `${other.caPem}${certificate.caPem}`]) {
    served = both;
    const pem = await fetchPinnedCa(fixture.url, certificate.caSha256, io);
    expect(pem.trim()).toBe(certificate.caPem.trim());
  }
});

test('what is no certificate, and a fingerprint that is none, are refused in a sentence', async () => {
  served = 'hello';
  await expect(fetchPinnedCa(fixture.url, certificate.caSha256, io)).rejects.toThrow(/certificate in PEM/);
  await expect(fetchPinnedCa(fixture.url, 'abc', io)).rejects.toThrow(/64 hex digits/);
  served = 'x'.repeat(100_000);
  await expect(fetchPinnedCa(fixture.url, certificate.caSha256, io)).rejects.toThrow(/longer answer/);
});
