/** Each of the first nineteen decisions of docs/semantics.md has a test that names its number. */
import { expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const NUMBERED = 19;

/** Numbers in the titles of tests: `(semantics 7)`, `semantics 14, 16, 17`, `semantics 2: …`. */
const numbersIn = (source: string): readonly number[] =>
  [...source.matchAll(/^\s*(?:test|it|describe)(?:\.each\([\s\S]*?\))?\(\s*(['"`])([\s\S]*?)\1/gm)]
    .flatMap(([, , title = '']) => [...title.matchAll(/semantics ((?:\d+(?:, | and )?)+)/g)])
    .flatMap(([, numbers = '']) =>
      numbers
        .split(/\D+/)
        .filter((number) => number !== '')
        .map(Number),
    );

const namedNumbers = async (): Promise<ReadonlySet<number>> => {
  const named = new Set<number>();
  for (const pattern of ['packages/*/{src,test}/**/*.test.ts', 'tests/**/*.test.ts']) {
    for await (const path of new Bun.Glob(pattern).scan({ cwd: root })) {
      for (const number of numbersIn(await readFile(join(root, path), 'utf8'))) named.add(number);
    }
  }
  return named;
};

test('numbers are read from titles alone', () => {
  expect(numbersIn("test('a (semantics 7)', x);\n// semantics 8\ntest('b semantics 14, 16', x)")).toEqual([7, 14, 16]);
});

test('every decision from 1 to 19 is named', async () => {
  const named = await namedNumbers();
  const missing = Array.from({ length: NUMBERED }, (_, index) => index + 1).filter((number) => !named.has(number));
  expect(missing).toEqual([]);
});
