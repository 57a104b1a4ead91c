import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { argsFault, isBatchScript, splitArgs, strictArgsFault } from './args.ts';
import { Refusal } from './errors.ts';

const quoted = (argument: string, quote: '"' | "'"): string =>
  `${quote}${argument.replaceAll(quote, quote + quote)}${quote}`;

test('a list of arguments, quoted and joined, comes back as it was', () => {
  const argument = fc.tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom('"' as const, "'" as const));
  const space = fc.constantFrom(' ', '  ', '\t', ' \n ');
  fc.assert(
    fc.property(fc.array(argument), space, (list, between) => {
      const text = list.map(([value, quote]) => quoted(value, quote)).join(between);
      expect(splitArgs(text)).toEqual(list.map(([value]) => value));
    }),
  );
});

describe('the grammar', () => {
  const cases: [string, readonly string[]][] = [
    ['', []],
    ['   ', []],
    ['-days 7', ['-days', '7']],
    ['  a   b  ', ['a', 'b']],
    ['"a b" c', ['a b', 'c']],
    ['\'a "b"\'', ['a "b"']],
    ['"say ""hi"""', ['say "hi"']],
    ["'it''s'", ["it's"]],
    ['""', ['']],
    ["'' x", ['', 'x']],
    ['a"b c"d', ['ab cd']],
    ['C:\\dir\\x "C:\\a b\\"', ['C:\\dir\\x', 'C:\\a b\\']],
    ['\\" x"', ['\\ x']],
    ['--noargs', ['--noargs']],
    ['$(id) `id` *.txt', ['$(id)', '`id`', '*.txt']],
  ];
  for (const [text, args] of cases) test(JSON.stringify(text), () => expect(splitArgs(text)).toEqual(args));

  for (const text of ['"', "'a", 'a "b', '"a""', 'x \'y""']) {
    test(`${text} is refused`, () => {
      const place = Math.max(text.indexOf('"'), 0) + 1;
      expect(() => splitArgs(text)).toThrow(Refusal);
      if (!text.includes("'")) expect(() => splitArgs(text)).toThrow(`at character ${place} is never closed`);
    });
  }
});

describe('scripts that the re-parsing shell of Windows runs', () => {
  const batch = ['a.cmd', 'a.BAT'];
  test('are known by their ending', () => {
    expect(batch.every(isBatchScript)).toBe(true);
    expect(['a.ps1', 'a.cmd.sh', 'cmd', 'bat'].some(isBatchScript)).toBe(false);
  });
  for (const character of ['%', '"', '&', '|', '<', '>', '^', '!', '(', ')', '\r', '\n']) {
    test(`${JSON.stringify(character)} is refused there, and only there`, () => {
      for (const name of batch)
        expect(argsFault(name, ['fine', `a${character}b`])).toContain('which the shell that runs');
      expect(argsFault('a.ps1', [`a${character}b`])).toBeNull();
    });
  }
  test('other arguments pass', () => expect(argsFault('a.cmd', ['-x', 'a b', 'C:\\d;e', "it's"])).toBeNull());
});

test('NUL can be an argument of nothing', () => {
  expect(argsFault('a.sh', ['a\u0000'])).toContain('NUL');
  expect(argsFault('a.sh', ['a'])).toBeNull();
});

test('the strict reading refuses the characters that the original refuses', () => {
  for (const character of ';&|!$()') expect(strictArgsFault(`-x ${character}`)).toContain('; & | ! $ ( )');
  expect(strictArgsFault('-x "a b" <c> %d% ^')).toBeNull();
});
