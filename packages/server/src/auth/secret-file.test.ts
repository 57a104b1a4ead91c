import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureEd25519Key, ensureSecretFile } from './secret-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-secret-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a secret has the length asked for, stays over a restart, and differs from the next one', async () => {
  const first = await ensureSecretFile(join(folder, 'a'), 32);
  expect(first.length).toBe(32);
  expect(await ensureSecretFile(join(folder, 'a'), 32)).toEqual(first);
  expect(await ensureSecretFile(join(folder, 'b'), 32)).not.toEqual(first);
  expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o600);
});

test.each(['', 'short', 'not base64url: !!', `${'A'.repeat(43)}=`, 'A'.repeat(200)])(
  'a damaged secret %p is refused and left as it is',
  async (content) => {
    const path = join(folder, 'secret');
    await writeFile(path, content);
    await expect(ensureSecretFile(path, 32)).rejects.toThrow(/Expected 32 random bytes/);
    expect(await readFile(path, 'utf8')).toBe(content);
  },
);

test('an Ed25519 key stays over a restart, and its raw public key verifies what it signs', async () => {
  const path = join(folder, 'keys', 'envelope.pem');
  const first = await ensureEd25519Key(path);
  const second = await ensureEd25519Key(path);
  expect(second.publicKeyRaw).toBe(first.publicKeyRaw);
  expect(Buffer.from(first.publicKeyRaw, 'base64url').length).toBe(32);
  const rebuilt = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: first.publicKeyRaw },
    format: 'jwk',
  });
  const text = Buffer.from('hello');
  expect(verify(null, text, rebuilt, sign(null, text, second.privateKey))).toBe(true);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a key of another kind, or none, is refused and left as it is', async () => {
  const path = join(folder, 'key.pem');
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  for (const content of [other.toString(), 'half of a k']) {
    await writeFile(path, content);
    await expect(ensureEd25519Key(path)).rejects.toThrow(/Expected an Ed25519 private key.*Restore/);
    expect(await readFile(path, 'utf8')).toBe(content);
  }
});
