/** The import law and the counted bars (ARCHITECTURE.md, CONTRIBUTING.md), held against every source there is. */
import { describe, expect, test } from 'bun:test';
import { importFaults } from './arch/check-imports.ts';
import { cycles } from './arch/find-cycles.ts';
import { forbiddenIn } from './arch/forbidden.ts';
import { functionsOf } from './arch/functions.ts';
import { importsOf } from './arch/imports.ts';
import { isCounted, isTest, ROOT, readSources } from './arch/read-sources.ts';

const sources = await readSources(ROOT);
const counted = sources.filter(isCounted);
const shipped = sources.filter((source) => source.path.startsWith('packages/') && !isTest(source));
const imports = shipped.flatMap(importsOf);
const functions = counted.flatMap(functionsOf);

/** The value that `share` of all values do not exceed. */
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;

test('there is something to judge', () => {
  expect(counted.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(100);
  expect(functions.length).toBeGreaterThan(100);
});

describe('import law', () => {
  test('every import keeps it', () => expect(importFaults(imports)).toEqual([]));
  test('no cycles among files or folders', () => expect(cycles(imports)).toEqual([]));
});

describe('small', () => {
  const lengths = counted.map(({ lineCount }) => lineCount);
  const named = functions.filter(({ isNamed }) => isNamed);

  test('files: median up to 80 lines', () => expect(percentile(lengths, 0.5)).toBeLessThanOrEqual(80));
  test('files: 95 of 100 up to 200 lines', () => expect(percentile(lengths, 0.95)).toBeLessThanOrEqual(200));
  test('files: none over 400 lines', () => {
    const long = counted.filter(({ lineCount }) => lineCount > 400);
    expect(long.map(({ path, lineCount }) => `${path}: ${lineCount} lines, at most 400`)).toEqual([]);
  });
  test('functions: 95 of 100 up to 30 lines', () => {
    expect(
      percentile(
        named.map(({ lineCount }) => lineCount),
        0.95,
      ),
    ).toBeLessThanOrEqual(30);
  });
  test('functions: none over 70 lines', () => {
    const long = functions.filter(({ lineCount }) => lineCount > 70);
    expect(
      long.map(({ path, line, name, lineCount }) => `${path}:${line}: ${name}: ${lineCount} lines, at most 70`),
    ).toEqual([]);
  });
  test('functions: up to three parameters, then a named record', () => {
    const wide = functions.filter(({ parameterCount }) => parameterCount > 3);
    expect(
      wide.map(
        ({ path, line, name, parameterCount }) => `${path}:${line}: ${name}: ${parameterCount} parameters, at most 3`,
      ),
    ).toEqual([]);
  });
});

test('nothing forbidden', () => expect(counted.flatMap(forbiddenIn)).toEqual([]));
