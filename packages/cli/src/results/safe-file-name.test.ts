import { expect, test } from 'bun:test';
import { fileNameFault } from '@longarm/contract/file-name';
import fc from 'fast-check';
import { safeFileName } from './safe-file-name.ts';
import { resultFolder } from './save-result.ts';

test('the last part of a path of either kind', () => {
  expect(safeFileName('C:\\windows\\TEMP\\OfficeClickToRun.dmp.zip', 'x')).toBe('OfficeClickToRun.dmp.zip');
  expect(safeFileName('/var/tmp/out.tgz', 'x')).toBe('out.tgz');
  expect(safeFileName('/var/tmp/folder/', 'x')).toBe('folder');
  expect(safeFileName('grüße 日本.txt', 'x')).toBe('grüße 日本.txt');
});

test('nothing that a system gives a meaning', () => {
  expect(safeFileName('/home/a/.bashrc', 'x')).toBe('_bashrc');
  expect(safeFileName('/home/a/-rf', 'x')).toBe('_rf');
  expect(safeFileName('/a/..', 'x')).toBe('_');
  expect(safeFileName('C:\\con.txt', 'x')).toBe('_con.txt');
  expect(safeFileName('a:b\u202egnp.exe\u0000', 'x')).toBe('a_b_gnp.exe_');
  expect(safeFileName('/', 'fallback')).toBe('fallback');
});

test('too long a name keeps its start and its ending', () => {
  const name = safeFileName(`start-${'ü'.repeat(300)}.tgz`, 'x');
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
  expect(name).toMatch(/^start-ü+\.tgz$/);
});

test('whatever a device sends, it is one file name that any system can hold', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (path) => {
      const name = safeFileName(path, 'fallback');
      expect(fileNameFault(name)).toBeNull();
      expect(name).not.toMatch(/^[.-]|\p{Cc}|\p{Cf}/u);
    }),
  );
});

test('results of an action go into one folder here, whatever the server calls it', () => {
  expect(resultFolder('5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11')).toBe('longarm-5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11');
  expect(resultFolder('x/../../.ssh')).toBe('longarm-_ssh');
});
