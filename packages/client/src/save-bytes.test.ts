import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveBytes } from './save-bytes.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-save-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* twoChunks(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('abc');
  yield new TextEncoder().encode('def');
}
async function* cutShort(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('abc');
  throw new Error('cut');
}
/** SHA-256 of `abcdef`. */
const SHA256 = 'bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721';

const request = () => ({ path: join(folder, 'out.bin'), temporaryPath: join(folder, '.out.part') });

test('the bytes become the file, hashed on the way, for the owner alone', async () => {
  const progress: number[] = [];
  const saved = await saveBytes({
    ...request(),
    bytes: twoChunks(),
    expectedSha256: SHA256,
    onProgress: (bytes) => progress.push(bytes),
  });
  expect(saved).toEqual({ path: join(folder, 'out.bin'), sizeBytes: 6, sha256: SHA256 });
  expect(await readFile(saved.path, 'utf8')).toBe('abcdef');
  expect((await stat(saved.path)).mode & 0o777).toBe(0o600);
  expect(progress).toEqual([3, 6]);
  expect(await readdir(folder)).toEqual(['out.bin']);
});

test('another hash than expected keeps nothing, and leaves an older file alone', async () => {
  await writeFile(join(folder, 'out.bin'), 'older');
  const saving = saveBytes({ ...request(), bytes: twoChunks(), expectedSha256: SHA256.replace('b', 'c') });
  await expect(saving).rejects.toMatchObject({ name: 'HashMismatch' });
  expect(await readdir(folder)).toEqual(['out.bin']);
  expect(await readFile(join(folder, 'out.bin'), 'utf8')).toBe('older');
});

test('a source that fails leaves nothing behind', async () => {
  await expect(saveBytes({ ...request(), bytes: cutShort(), expectedSha256: null })).rejects.toThrow('cut');
  expect(await readdir(folder)).toEqual([]);
});
