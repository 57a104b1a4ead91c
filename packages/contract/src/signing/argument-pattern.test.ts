import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { AllowedArguments, areArgumentsAllowed, describeArguments, readArgumentLine } from './argument-pattern.ts';

const allows = (line: string, ...args: string[]) => areArgumentsAllowed([readArgumentLine(line)], args);
/** An argument as `Args` writes it, whatever it holds. */
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe('a position allows what it says and nothing else', () => {
  const cases: [string, string[], string[]][] = [
    ['-days', ['-days'], ['-day', '-days ', '-DAYS', '']],
    ['<int>', ['0', '7', '-7', '9007199254740991'], ['', '+7', '07', '-0', '7.0', '0x7', ' 7', '7\n', '1e3', '９']],
    ['<int:1..30>', ['1', '30'], ['0', '31', '-1', '9007199254740992']],
    ['<int:-3..-1>', ['-3', '-1'], ['-4', '0']],
    [
      '<word>',
      ['a', 'host-1.example', '_x', '7'],
      ['', '-rf', '.', '../x', 'a b', 'a/b', 'a\n', 'ä', '$x', 'a'.repeat(129)],
    ],
    ['<one-of:fast|slow>', ['fast', 'slow'], ['fas', 'fast|slow', '', 'FAST']],
    ['<any>', ['', '-rf /', '$(id)'], []],
  ];
  for (const [line, good, bad] of cases) {
    test(line, () => {
      expect(good.filter((argument) => !allows(line, argument))).toEqual([]);
      expect(bad.filter((argument) => allows(line, argument))).toEqual([]);
    });
  }
});

test('as many arguments as there are positions, in their order', () => {
  expect(allows('-days <int>', '-days', '7')).toBe(true);
  expect(allows('-days <int>', '7', '-days')).toBe(false);
  expect(allows('-days <int>', '-days')).toBe(false);
  expect(allows('-days <int>', '-days', '7', '8')).toBe(false);
  expect(allows('')).toBe(true);
  expect(allows('', '')).toBe(false);
});

test('several lines are alternatives, never mixed', () => {
  const allowed = [readArgumentLine('a b'), readArgumentLine('c d')];
  expect(areArgumentsAllowed(allowed, ['c', 'd'])).toBe(true);
  expect(areArgumentsAllowed(allowed, ['a', 'd'])).toBe(false);
  expect(describeArguments(allowed)).toBe('"a" "b", or "c" "d"');
});

test('what only looks like a class is refused, not taken for a text', () => {
  for (const line of ['<inf>', '<INT>', '<int:>', '<int:5..1>', '<int:a..b>', '<>', '<int: 1..2>', '<regex:.*>'])
    expect(() => readArgumentLine(quote(line))).toThrow('Expected an exact argument');
  expect(() => readArgumentLine('x '.repeat(65))).toThrow('at most 64');
  expect(() => readArgumentLine('"open')).toThrow('never closed');
});

test('an exact line allows exactly itself (property)', () => {
  const text = fc.string({ maxLength: 12 }).filter((value) => !/^<.*>$/s.test(value));
  const line = fc.array(text, { maxLength: 5 });
  fc.assert(
    fc.property(line, line, (signed, sent) => {
      const allowed = [readArgumentLine(signed.map(quote).join(' '))];
      const isSame = signed.length === sent.length && signed.every((part, at) => part === sent[at]);
      return areArgumentsAllowed(allowed, signed) && areArgumentsAllowed(allowed, sent) === isSame;
    }),
  );
});

test('a range allows the numbers in it, however they compare as texts (property)', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.integer(), (a, b, value) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      return allows(`<int:${from}..${to}>`, String(value)) === (value >= from && value <= to);
    }),
  );
});

test('no argument costs more than one pass', () => {
  const long = 'a'.repeat(1_000_000);
  const began = performance.now();
  expect(allows('<word> <int> <one-of:a|b>', long, '1'.repeat(1_000_000), long)).toBe(false);
  expect(performance.now() - began).toBeLessThan(500);
});

test('only the known shape is read', () => {
  expect(AllowedArguments.safeParse('any').success).toBe(true);
  for (const hostile of ['all', [], null, {}, [[{ kind: 'regex', text: '.*' }]], [[{ kind: 'any', extra: 1 }]]])
    expect(AllowedArguments.safeParse(hostile).success).toBe(false);
});
