import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSha256 } from '@longarm/contract/ids';
import { blobStoreSuite } from '@longarm/testkit/blob-store-suite';
import { UploadFault } from '../library/ports.ts';
import { diskBlobStore } from './disk.ts';

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'longarm-blobs-'));
const START = Date.UTC(2026, 0, 1);
const bodyOf = (text: string): ReadableStream<Uint8Array> => new Blob([text]).stream();

blobStoreSuite('disk blob store', async () => {
  const folder = await newFolder();
  let time = START;
  const now = (): number => time;
  return {
    store: await diskBlobStore({ folder, now }),
    reopen: () => diskBlobStore({ folder, now }),
    between: async () => {
      time += 2;
      return time - 1;
    },
    dispose: () => rm(folder, { recursive: true }),
  };
});

let folder = '';
const now = (): number => START;
beforeEach(async () => {
  folder = join(await newFolder(), 'data', 'blobs');
});
afterEach(() => rm(join(folder, '..', '..'), { recursive: true }));

const filesOf = async (): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

test('a blob lies under the first two digits of its hash, readable by its owner alone', async () => {
  const store = await diskBlobStore({ folder, now });
  const { sha256 } = await store.put(bodyOf('hello'), 5);
  const path = join(folder, 'sha256', sha256.slice(0, 2), sha256);
  expect(await filesOf()).toEqual([path]);
  expect(await readFile(path, 'utf8')).toBe('hello');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(path)).mtimeMs).toBe(START);
  for (const parent of [folder, join(folder, 'sha256'), join(folder, 'incoming'), join(path, '..')]) {
    expect((await stat(parent)).mode & 0o777).toBe(0o700);
  }
});

test('only the reserve left: new bytes are refused as disk-full, reading goes on', async () => {
  const before = await diskBlobStore({ folder, now });
  const { sha256 } = await before.put(bodyOf('hello'), 5);
  await before.append('part', { offset: 0, lengthBytes: 10, body: bodyOf('abc') });
  const full = await diskBlobStore({ folder, now, minimumFreeBytes: Number.MAX_SAFE_INTEGER });
  expect(await full.freeBytes()).toBe(0);
  expect(await before.freeBytes()).toBeGreaterThan(0);
  const refused = full.append('part', { offset: 3, lengthBytes: 10, body: bodyOf('defghij') });
  await expect(refused).rejects.toMatchObject({ name: 'UploadFault', kind: 'disk-full', uploadedBytes: 3 });
  await expect(full.put(bodyOf('more'), 9)).rejects.toMatchObject({ kind: 'disk-full' });
  expect(await new Response(full.read(sha256)).text()).toBe('hello');
  expect(await before.append('part', { offset: 3, lengthBytes: 10, body: bodyOf('defghij') })).toBe(10);
});

test.skipIf(process.platform !== 'linux')('a write that finds no space is disk-full', async () => {
  const store = await diskBlobStore({ folder, now });
  await symlink('/dev/full', join(folder, 'incoming', 'part'));
  const fault = await store.append('part', { offset: 0, lengthBytes: 10, body: bodyOf('abc') }).catch((e) => e);
  expect(fault).toBeInstanceOf(UploadFault);
  expect(fault).toMatchObject({ kind: 'disk-full', uploadedBytes: 0 });
});

test('the hash is of the file, also when the file grew behind the store’s back', async () => {
  const store = await diskBlobStore({ folder, now });
  await store.append('part', { offset: 0, lengthBytes: 6, body: bodyOf('abc') });
  await writeFile(join(folder, 'incoming', 'part'), 'xyzuvw');
  const { sha256 } = await store.complete('part', 6);
  expect(sha256 as string).toBe(new Bun.CryptoHasher('sha256').update('xyzuvw').digest('hex'));
});

test('files that are not ours are left alone', async () => {
  const store = await diskBlobStore({ folder, now });
  await writeFile(join(folder, 'incoming', 'Not Ours.txt'), 'x');
  await writeFile(join(folder, 'sha256', 'note.txt'), 'x');
  expect(await store.discardStale(Number.MAX_SAFE_INTEGER)).toBe(0);
  for await (const sha256 of store.olderThan(START + 1)) expect(parseSha256(sha256)).toBeNull();
  expect(await filesOf()).toHaveLength(2);
});

test.skipIf(process.platform !== 'linux')('a stream holds its file open until it ends or is cancelled', async () => {
  const openHere = async (): Promise<number> => {
    const targets = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(join('/proc/self/fd', fd)).catch(() => null)),
    );
    return targets.filter((target) => target?.startsWith(folder)).length;
  };
  const store = await diskBlobStore({ folder, now });
  const { sha256 } = await store.put(bodyOf('x'.repeat(2_000_000)), 2_000_000);
  const unread = store.read(sha256);
  expect(await openHere()).toBe(0);
  const reader = store.read(sha256).getReader();
  await reader.read();
  expect(await openHere()).toBe(1);
  const pending = reader.read();
  await reader.cancel();
  await pending.catch(() => undefined);
  expect(await openHere()).toBe(0);
  await new Response(unread).bytes();
  expect(await openHere()).toBe(0);
  const opening = store.read(sha256).getReader();
  // a stream that has started meets the read at once, so the cancel falls into the opening of the file
  expect(await openHere()).toBe(0);
  const first = opening.read();
  await opening.cancel();
  await first;
  expect(await openHere()).toBe(0);
});

test.each([true, false])(
  'chunks that are the store’s own (%p) leave nothing behind, and others stay readable',
  async (consumes) => {
    const store = await diskBlobStore({ folder, now });
    const chunk = new TextEncoder().encode('from a socket');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(chunk);
        controller.close();
      },
    });
    expect(await store.append('key', { offset: 0, lengthBytes: 13, body, consumes })).toBe(13);
    expect(chunk).toHaveLength(consumes ? 0 : 13);
    const { sha256 } = await store.complete('key', 13);
    expect(await new Response(store.read(sha256)).text()).toBe('from a socket');
  },
);
