import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { fileNameFault } from './file-name.ts';
import { FILE_NAME_BYTES } from './limits.ts';

describe('names that every system can hold', () => {
  for (const name of [
    'triage.sh',
    '.profile',
    'a b.ps1',
    'CON-1',
    'console.log',
    'com',
    'com10',
    'ß',
    '資料.txt',
    '-x',
    "it's",
    'a..b',
    '$x',
    '~',
  ]) {
    test(name, () => expect(fileNameFault(name)).toBeNull());
  }
});

describe('names that are refused', () => {
  const cases: [string, string][] = [
    ['', 'empty text'],
    ['.', 'expected a file name'],
    ['..', 'expected a file name'],
    ['../x', 'without path parts'],
    ['a/b', 'without path parts'],
    ['a\\b', 'without path parts'],
    ['C:x', 'without path parts'],
    ['a*', 'without path parts'],
    ['a?', 'without path parts'],
    ['a"b', 'without path parts'],
    ['a<b', 'without path parts'],
    ['a>b', 'without path parts'],
    ['a|b', 'without path parts'],
    ['a\u0000', 'without path parts'],
    ['a\n', 'without path parts'],
    ['a\u007f', 'without path parts'],
    [' a', 'start with a space'],
    ['a ', 'end with a space or dot'],
    ['a.', 'end with a space or dot'],
    ['con', 'device name'],
    ['NUL.txt', 'device name'],
    ['com1', 'device name'],
    ['LPT¹.log', 'device name'],
    ['a\ud800', 'well-formed'],
  ];
  for (const [name, why] of cases) test(JSON.stringify(name), () => expect(fileNameFault(name)).toContain(why));
});

test('the length counts bytes of UTF-8, up to its limit', () => {
  expect(fileNameFault('x'.repeat(FILE_NAME_BYTES))).toBeNull();
  expect(fileNameFault('x'.repeat(FILE_NAME_BYTES + 1))).toContain('at most 255 bytes in a file name, got 256');
  expect(fileNameFault('é'.repeat(127))).toBeNull();
  expect(fileNameFault('é'.repeat(128))).toContain('got 256');
});

test('no name with a path part in it is accepted', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', ' ', ':', '\u0000') }), (name) => {
      const leaves = [...'/\\:\u0000'].some((character) => name.includes(character)) || /^\.*$/.test(name);
      if (leaves) expect(fileNameFault(name)).not.toBeNull();
    }),
  );
});
