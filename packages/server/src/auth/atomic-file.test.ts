import { afterEach, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileOrNull, readOrCreateFile, replaceFile } from './atomic-file.ts';

const folders: string[] = [];
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-atomic-'));
  folders.push(folder);
  return folder;
};
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

test('a replaced file has the new content, mode 0600, and leaves no temporary', async () => {
  const folder = join(await newFolder(), 'made', 'here');
  const path = join(folder, 'file');
  await replaceFile(path, 'old');
  await replaceFile(path, 'new');
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(await readdir(folder)).toEqual(['file']);
});

test('a file that is there is read and not made again', async () => {
  const path = join(await newFolder(), 'file');
  await writeFile(path, 'mine');
  const content = await readOrCreateFile(path, () => {
    throw new Error('must not be asked');
  });
  expect(new TextDecoder().decode(content)).toBe('mine');
});

test('of many that make a file at once one wins, and all answer with its content', async () => {
  const folder = await newFolder();
  const path = join(folder, 'file');
  const made = await Promise.all(Array.from({ length: 20 }, (_, index) => readOrCreateFile(path, () => `${index}`)));
  const texts = new Set(made.map((content) => new TextDecoder().decode(content)));
  expect(texts.size).toBe(1);
  expect(texts).toContain(await readFile(path, 'utf8'));
  expect(await readdir(folder)).toEqual(['file']);
});

test('a maker that fails leaves nothing behind', async () => {
  const folder = await newFolder();
  const failing = readOrCreateFile(join(folder, 'file'), () => Promise.reject(new Error('no randomness')));
  await expect(failing).rejects.toThrow('no randomness');
  expect(await readdir(folder)).toEqual([]);
});

test('an absent file reads as null; a folder in its place is an error', async () => {
  const folder = await newFolder();
  expect(await readFileOrNull(join(folder, 'absent'))).toBeNull();
  await expect(readFileOrNull(folder)).rejects.toThrow();
});
