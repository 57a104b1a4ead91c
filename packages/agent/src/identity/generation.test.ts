import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { generationFile } from './generation.ts';

let folder: ReturnType<typeof temporaryFolder>;
const path = () => join(folder.path, 'generation');

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

test('what is kept is on the disk, and there after a restart', () => {
  const keeper = generationFile(path());
  expect(keeper.last()).toBeNull();
  expect([keeper.keep('one'), keeper.keep('two'), keeper.last()]).toEqual([true, true, 'two']);
  expect(readFileSync(path(), 'utf8')).toBe('two');
  expect(generationFile(path()).last()).toBe('two');
});

test('what cannot be one is none', () => {
  for (const text of ['', ' ', 'x'.repeat(65)]) {
    writeFileSync(path(), text);
    expect(generationFile(path()).last()).toBeNull();
  }
  writeFileSync(path(), 'x'.repeat(64));
  expect(generationFile(path()).last()).toBe('x'.repeat(64));
});

test('a disk that refuses is no fault: it goes on with what it was handed', () => {
  mkdirSync(path());
  const keeper = generationFile(path());
  expect([keeper.last(), keeper.keep('one'), keeper.last()]).toEqual([null, false, 'one']);
});
