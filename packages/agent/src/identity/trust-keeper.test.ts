import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRUST_TYPE, type TrustPayload } from '@longarm/contract/wire/authorities';
import { makeLoopbackCertificate } from '../../../testkit/src/loopback-certificate.ts';
import { MACHINE, seal, signingKey, TENANT } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { type Identity, readIdentity, writeIdentity } from './identity-file.ts';
import { trustKeeper } from './trust-keeper.ts';

const [first, second] = await Promise.all([makeLoopbackCertificate(Date.now()), makeLoopbackCertificate(Date.now())]);
const server = signingKey();
const stranger = signingKey();

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let identity: Identity;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, 'identity.json');
  identity = {
    version: 1,
    serverUrl: 'https://a.example',
    machineId: MACHINE,
    tenantId: TENANT,
    audience: 'this server',
    envelopeKey: server.publicKey,
    caPem: first.caPem,
  };
  writeIdentity(file, identity);
});
afterEach(() => folder[Symbol.dispose]());

const statement = (changes: Partial<TrustPayload> = {}, key = server.privateKey, typ = TRUST_TYPE): string => {
  const payload = { version: 1, audience: 'this server', serial: 7, authorities: [first.caPem, second.caPem] };
  return seal({ ...payload, ...changes }, key, { alg: 'EdDSA', typ });
};

const both = [first.caSha256, second.caSha256];

test('what the server signed is believed, and is on the disk before it is said', () => {
  const keeper = trustKeeper(file, identity);
  expect<readonly string[]>(keeper.trusted()).toEqual([first.caSha256]);
  const outcome = keeper.take(statement());
  expect<unknown>(outcome).toEqual({ kind: 'kept', trusted: both });
  expect<readonly string[]>(keeper.trusted()).toEqual(both);
  const kept = readIdentity(file);
  expect(kept).toEqual({ ...identity, caPem: `${first.caPem}${second.caPem}`, trustSerial: 7 });
  // and the old one is forgotten on a later word
  const { take, caPem } = trustKeeper(file, kept ?? identity);
  expect(take(statement({ serial: 8, authorities: [second.caPem] })).kind).toBe('kept');
  expect(caPem()).toBe(second.caPem);
});

const extra = `${second.caPem}${first.cert}`;
test.each<readonly [string, () => string, RegExp]>([
  ['signed by another key', () => statement({}, stranger.privateKey), /not signed by the key/],
  ['signed for another use', () => statement({}, server.privateKey, 'longarm-envelope+jws'), /header says/],
  ['no JWS', () => 'trust me', /expected a JWS/],
  ['of another server', () => statement({ audience: 'another' }), /of another server/],
  ['no certificate', () => statement({ authorities: ['hello'] }), /no certificate of an authority/],
  ['a server’s certificate', () => statement({ authorities: [second.cert] }), /no certificate of an authority/],
  ['of none', () => statement({ authorities: [] }), /does not understand/],
  [
    'of a later form',
    () => seal({ version: 2 }, server.privateKey, { alg: 'EdDSA', typ: TRUST_TYPE }),
    /not understand/,
  ],
])('%s: refused with the reason, and nothing changes', (_, make, reason) => {
  const before = readFileSync(file, 'utf8');
  const keeper = trustKeeper(file, identity);
  const outcome = keeper.take(make());
  expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringMatching(reason) });
  expect([keeper.caPem(), readFileSync(file, 'utf8')]).toEqual([first.caPem, before]);
});

test('an older word, or the same again, is refused: who keeps one cannot bring an old authority back', () => {
  const keeper = trustKeeper(file, identity);
  const older = statement();
  expect(keeper.take(older).kind).toBe('kept');
  expect(keeper.take(statement({ serial: 9, authorities: [second.caPem] })).kind).toBe('kept');
  for (const replayed of [older, statement({ serial: 9 })])
    expect(keeper.take(replayed)).toMatchObject({ reason: expect.stringContaining('no newer') });
  expect(keeper.caPem()).toBe(second.caPem);
  expect(trustKeeper(file, readIdentity(file) ?? identity).take(older).kind).toBe('refused');
});

test('of each text the first certificate counts, which was looked at', () => {
  const keeper = trustKeeper(file, identity);
  expect<unknown>(keeper.take(statement({ authorities: [extra] }))).toEqual({
    kind: 'kept',
    trusted: [second.caSha256],
  });
  expect(keeper.caPem()).toBe(second.caPem);
});

test('a device that goes by its system’s trust takes none', () => {
  const keeper = trustKeeper(file, { ...identity, caPem: null });
  expect(keeper.take(statement())).toMatchObject({ reason: expect.stringContaining('its system trusts') });
  expect(keeper.caPem()).toBeNull();
});

test('what the disk refuses is not believed', () => {
  const keeper = trustKeeper(file, identity);
  rmSync(file);
  mkdirSync(file);
  writeFileSync(join(file, 'x'), '');
  expect(keeper.take(statement())).toMatchObject({ reason: expect.stringContaining('could not be kept') });
  expect(keeper.caPem()).toBe(first.caPem);
});
