import { expect, test } from 'bun:test';
import { sealedSecrets } from './sealed-secret.ts';

const secrets = sealedSecrets(new Uint8Array(32).fill(7));
const bytesOf = (text: string) => Buffer.from(text, 'base64url');

test('what was sealed opens here, for its purpose alone', () => {
  const sealed = secrets.seal(Buffer.from('secret'), 'one');
  expect(Buffer.from(secrets.open(sealed, 'one') ?? []).toString()).toBe('secret');
  expect(secrets.open(sealed, 'other')).toBeNull();
  expect(sealedSecrets(new Uint8Array(32).fill(8)).open(sealed, 'one')).toBeNull();
});

test('one bit more or less, a part of it, and a short tag of nothing do not open', () => {
  const sealed = bytesOf(secrets.seal(Buffer.from('secret'), 'one'));
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect([at, secrets.open(changed.toString('base64url'), 'one')]).toEqual([at, null]);
    expect([at, secrets.open(sealed.subarray(0, at).toString('base64url'), 'one')]).toEqual([at, null]);
  }
  const ofNothing = bytesOf(secrets.seal(new Uint8Array(), 'one'));
  expect(secrets.open(ofNothing.toString('base64url'), 'one')).toHaveLength(0);
  for (const length of [4, 8, 12, 15])
    expect([length, secrets.open(ofNothing.subarray(0, 12 + length).toString('base64url'), 'one')]).toEqual([
      length,
      null,
    ]);
});
