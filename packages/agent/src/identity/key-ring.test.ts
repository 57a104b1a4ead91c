import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createPublicKey, verify } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { KEY_RECEIPT_TYPE, type KeyReceipt, keyClaimText } from '@longarm/contract/wire/device-key';
import { seal, signingKey } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { stateFolder } from '../commands/state-folder.ts';
import { type KeyRing, openKeyRing, wantKey } from './key-ring.ts';
import { loadKeys } from './keys.ts';

const server = signingKey();
const AUDIENCE = 'this server';
const NONCE = 'nonce';

let folder: ReturnType<typeof temporaryFolder>;
let files: ReturnType<typeof stateFolder>;
let machineId: ReturnType<typeof loadKeys>['machineId'];
let time: number;
beforeEach(() => {
  folder = temporaryFolder();
  files = stateFolder(folder.path);
  machineId = loadKeys(files.keys).machineId;
  time = statSync(files.keys).mtimeMs;
});
afterEach(() => folder[Symbol.dispose]());

const open = (keyDays: number | null = null): KeyRing =>
  openKeyRing({
    files,
    identity: { audience: AUDIENCE, machineId, envelopeKey: server.publicKey },
    keyDays,
    localNow: () => time,
  });

const receipt = (publicKey: string, changes: Partial<KeyReceipt> = {}, key = server.privateKey): string =>
  seal({ version: 1, audience: AUDIENCE, machineId, publicKey, number: 2, ...changes }, key, {
    alg: 'EdDSA',
    typ: KEY_RECEIPT_TYPE,
  });

const isBy = (publicKey: string, text: string, signature = ''): boolean => {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
};

test('the next key is on the disk before anybody hears of it, certified by the one in force, and proves beside it', () => {
  const ring = open();
  const first = loadKeys(files.keys).publicKey;
  expect([ring.isWanted(), ring.proofs('x')]).toEqual([false, { proof: ring.sign('x') }]);
  const claim = ring.claim(NONCE, 5);
  expect(loadKeys(files.nextKey).publicKey).toBe(claim.publicKey);
  expect(statSync(files.nextKey).mode & 0o077).toBe(0);
  const { number, publicKey } = claim;
  const text = keyClaimText({
    audience: AUDIENCE,
    machineId,
    number,
    formerKey: first,
    publicKey,
    nonce: NONCE,
    at: 5,
  });
  expect([number, isBy(first, text, claim.certification), isBy(publicKey, text, claim.proof)]).toEqual([2, true, true]);
  const { proof, nextProof } = ring.proofs('x');
  expect([isBy(first, 'x', proof), isBy(publicKey, 'x', nextProof)]).toEqual([true, true]);
  // asked again, it is the same key: the server may have it already
  expect([ring.claim('another', 6).publicKey, ring.isWanted()]).toEqual([publicKey, true]);
});

test('the old key is forgotten on the server’s word alone, and the id stays', () => {
  const ring = open();
  const { publicKey } = ring.claim(NONCE, 5);
  const before = readFileSync(files.keys, 'utf8');
  const stranger = signingKey();
  const lies = [
    receipt(publicKey, {}, stranger.privateKey),
    receipt(stranger.publicKey),
    receipt(publicKey, { audience: 'another' }),
    receipt(publicKey, { machineId: 'ab'.repeat(20) as never }),
    seal({ version: 1, audience: AUDIENCE, machineId, publicKey, number: 2 }, server.privateKey),
    'take it',
  ];
  for (const lie of lies) expect(ring.take(lie)).toBe(false);
  expect(readFileSync(files.keys, 'utf8')).toBe(before);
  expect(ring.take(receipt(publicKey))).toBe(true);
  expect([isBy(publicKey, 'x', ring.sign('x')), ring.proofs('x').nextProof, ring.isWanted()]).toEqual([
    true,
    undefined,
    false,
  ]);
  expect([existsSync(files.nextKey), readFileSync(files.keys, 'utf8') === before]).toEqual([false, false]);
  // a later start knows it by the receipt, and a later key has the next number
  const later = open();
  expect(isBy(publicKey, 'x', later.sign('x'))).toBe(true);
  expect(later.claim(NONCE, 9).number).toBe(3);
});

test('a receipt for a key that is not on its way changes nothing', () => {
  const ring = open();
  const mine = loadKeys(files.keys).publicKey;
  expect(ring.take(receipt(mine))).toBe(false);
  expect(isBy(mine, 'x', open().sign('x'))).toBe(true);
});

describe('after a crash', () => {
  test('before the receipt: both prove, and the server says which one holds', () => {
    const { publicKey } = open().claim(NONCE, 5);
    const ring = open();
    expect(isBy(publicKey, 'x', ring.proofs('x').nextProof)).toBe(true);
    expect(ring.take(receipt(publicKey))).toBe(true);
  });

  test('between the receipt and the key’s name: it gets that, for the second change too', () => {
    for (const number of [2, 3]) {
      const { publicKey } = open().claim(NONCE, 5);
      writeFileSync(files.keyReceipt, receipt(publicKey, { number }));
      const ring = open();
      expect([isBy(publicKey, 'x', ring.sign('x')), existsSync(files.nextKey)]).toEqual([true, false]);
    }
  });
});

test('a key that is neither the first one nor vouched for is refused', () => {
  const { publicKey } = open().claim(NONCE, 5);
  copyFileSync(files.nextKey, files.keys);
  expect(() => open()).toThrow('expected the key of machine');
  writeFileSync(files.keyReceipt, receipt(publicKey, {}, signingKey().privateKey));
  expect(() => open()).toThrow('expected the key of machine');
});

describe('another key is wanted', () => {
  test('when somebody on the device says so, until there is one', () => {
    const ring = open();
    wantKey(files);
    expect(ring.isWanted()).toBe(true);
    ring.take(receipt(ring.claim(NONCE, 5).publicKey));
    expect([ring.isWanted(), existsSync(files.keyWanted)]).toEqual([false, false]);
  });

  test('when the key is so many days old, or from the future', () => {
    const ring = open(30);
    const made = time;
    const wantedAfter = (days: number) => {
      time = made + days * 86_400_000;
      return ring.isWanted();
    };
    expect([0, 29.99, 30, -0.5, -2].map(wantedAfter)).toEqual([false, false, true, false, true]);
    expect([wantedAfter(10_000), open().isWanted()]).toEqual([true, false]);
  });
});
