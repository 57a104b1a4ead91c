import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { glob, normalizePath, type PathForm, pathPatternFault } from './glob.ts';

const UNIX: PathForm = { isWindows: false, ignoresCase: false };
const WINDOWS: PathForm = { isWindows: true, ignoresCase: true };
const fits = (pattern: string, path: string, form = UNIX) => glob(pattern, form).matches(path);

test('what each sign means', () => {
  const cases: [string, string[], string[]][] = [
    ['/etc/passwd', ['/etc/passwd'], ['/etc/passwd2', '/etc/passw', '/ETC/passwd', '/x/etc/passwd', '']],
    ['/etc/*', ['/etc/a', '/etc/.a', '/etc/'], ['/etc', '/etc/a/b']],
    ['/etc/**', ['/etc/a', '/etc/a/b', '/etc/'], ['/etc', '/etcetera/a']],
    ['**/*.key', ['/a.key', '/a/b/.key'], ['/a.key/b', '/a.keys']],
    ['/a?c', ['/abc', '/a💧c'], ['/ac', '/a/c', '/abbc']],
    ['/a.b[c]{d,e}', ['/a.b[c]{d,e}'], ['/axbc', '/a.bcd']],
    ['**', ['', '/a/b'], []],
  ];
  for (const [pattern, good, bad] of cases) {
    expect([pattern, good.filter((path) => !fits(pattern, path))]).toEqual([pattern, []]);
    expect([pattern, bad.filter((path) => fits(pattern, path))]).toEqual([pattern, []]);
  }
});

test('Windows: any case, either slash, and the long form, are one path', () => {
  for (const path of ['C:\\Users\\Ann\\x.txt', 'c:/users/ann/X.TXT', '\\\\?\\C:\\Users\\Ann\\x.txt'])
    expect(fits('C:\\Users\\**', path, WINDOWS)).toBe(true);
  expect(fits('C:\\Users\\*', 'C:\\Users\\Ann\\x.txt', WINDOWS)).toBe(false);
  expect(fits('/a\\b', '/a/b')).toBe(false);
  expect(normalizePath('/cafe\u0301', UNIX)).toBe('/caf\u00e9');
});

test('a relative pattern would protect nothing, so it is a fault', () => {
  for (const pattern of ['etc/**', '*.key', '', './x', 'C:\\x'])
    expect(pathPatternFault(pattern, UNIX)).toContain('expected');
  for (const pattern of ['/x', '**', '**/x']) expect(pathPatternFault(pattern, UNIX)).toBeNull();
  expect(pathPatternFault('c:\\x', WINDOWS)).toBeNull();
  expect(pathPatternFault('/x', WINDOWS)).toContain('expected');
});

/** The same meaning, said as a regular expression: slow on hostile patterns, right on small ones. */
const asRegExp = (pattern: string): RegExp => {
  const parts = pattern.match(/\*\*|\*|\?|[^*?]/gsu) ?? [];
  const said = parts.map((part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  });
  return new RegExp(`^${said.join('')}$`, 'su');
};

test('it agrees with its meaning (property)', () => {
  const piece = (...signs: string[]) =>
    fc.array(fc.constantFrom(...signs), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(
    fc.property(
      piece('a', 'b', '/', '*', '**', '?', '.'),
      piece('a', 'b', '/', '.'),
      (pattern, path) => fits(pattern, path) === asRegExp(pattern).test(path),
    ),
    { numRuns: 2_000 },
  );
});

test('a path always fits itself, and its folder with ** (property)', () => {
  const name = fc.string({ minLength: 1, maxLength: 10 }).filter((text) => !/[*?/]/.test(text));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (parts) => {
      const path = `/${parts.join('/')}`;
      return fits(path, path) && fits('/**', path) && fits(`/${parts[0]}**`, path);
    }),
  );
});

test('no pattern is slow', () => {
  const began = performance.now();
  expect(fits(`${'**a'.repeat(60)}b`, `/${'a'.repeat(4_000)}`)).toBe(false);
  expect(performance.now() - began).toBeLessThan(2_000);
});
