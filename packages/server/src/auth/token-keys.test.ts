import { afterEach, beforeEach, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { ensureTokenKey } from './token-keys.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-token-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a token signed before a restart is verified after it, by the published key alone', async () => {
  const before = await ensureTokenKey(folder);
  const token = await new SignJWT({ roles: ['Machine.LiveResponse'] })
    .setProtectedHeader({ alg: 'RS256', kid: before.kid })
    .sign(before.privateKey);
  const after = await ensureTokenKey(folder);
  const published = createLocalJWKSet({ keys: [after.publicJwk] });
  expect((await jwtVerify(token, published)).payload.roles).toEqual(['Machine.LiveResponse']);
  expect((await jwtVerify(token, after.publicKey)).protectedHeader.kid).toBe(after.kid);
});

test('the kid is the RFC 7638 thumbprint, and nothing private is published', async () => {
  const { kid, publicJwk } = await ensureTokenKey(folder);
  expect(kid).toBe(await calculateJwkThumbprint(publicJwk));
  expect(Object.keys(publicJwk).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
});

test('the key lies in one file of mode 0600', async () => {
  await ensureTokenKey(folder);
  const files = await readdir(folder);
  expect(files).toEqual(['token-signing-key.pem']);
  expect((await stat(join(folder, 'token-signing-key.pem'))).mode & 0o777).toBe(0o600);
});

test('a damaged file is refused and left as it is', async () => {
  const path = join(folder, 'token-signing-key.pem');
  await ensureTokenKey(folder);
  const half = (await readFile(path, 'utf8')).slice(0, 400);
  await writeFile(path, half);
  await expect(ensureTokenKey(folder)).rejects.toThrow(/Expected an RSA private key.*Restore/);
  expect(await readFile(path, 'utf8')).toBe(half);
});

test('a key of another kind is refused and left as it is', async () => {
  const path = join(folder, 'token-signing-key.pem');
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeFile(path, pem);
  await expect(ensureTokenKey(folder)).rejects.toThrow(/Expected an RSA private key.*Restore/);
  expect(await readFile(path, 'utf8')).toBe(pem);
});
