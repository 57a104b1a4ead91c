import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { removeTree } from './remove-tree.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

test('a folder goes with what is in it; what a link in it names stays', () => {
  const kept = join(folder.path, 'kept');
  const gone = join(folder.path, 'gone');
  mkdirSync(kept);
  mkdirSync(join(gone, 'deep'), { recursive: true });
  writeFileSync(join(gone, 'deep', 'file'), '');
  symlinkSync(kept, join(gone, 'link'));
  removeTree(gone);
  expect([existsSync(gone), existsSync(kept)]).toEqual([false, true]);
  removeTree(gone);
});

// none of these names anything that is there, should the refusal be broken
test.each([
  '',
  'no-such-longarm-folder',
  './no-such-longarm-folder',
  '/no-such-longarm-folder',
  '/no/../such',
  'C:\\no\\such',
])('%j is refused: it names a place by mistake', (path) => {
  if (process.platform === 'win32' && path.startsWith('C:')) return;
  expect(() => removeTree(path)).toThrow('expected the whole path');
});
