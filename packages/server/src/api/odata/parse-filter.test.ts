import { describe, expect, test } from 'bun:test';
import { Refusal } from '@longarm/contract/errors';
import { FILTER_CHARACTERS, FILTER_DEPTH } from '@longarm/contract/limits';
import { ACTION_FIELDS, MACHINE_FIELDS } from '@longarm/contract/odata/fields';
import type { Filter } from '@longarm/contract/odata/query';
import fc from 'fast-check';
import { parseFilter } from './parse-filter.ts';

const actions = (text: string): Filter => parseFilter(text, ACTION_FIELDS);
const machines = (text: string): Filter => parseFilter(text, MACHINE_FIELDS);
const compare = (field: string, op: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le', value: string | number | boolean | null) =>
  ({ kind: 'compare', field, op, value }) as const;

const refusal = (text: string): string => {
  try {
    machines(text);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ODataError') return error.message;
    throw error;
  }
  throw new Error(`nothing was refused in ${text}`);
};

describe('what documents and clients send', () => {
  const at = Date.UTC(2026, 0, 1);
  const cases: [string, Filter][] = [
    ["riskScore eq 'High'", compare('riskScore', 'eq', 'High')],
    ["healthStatus ne 'Active'", compare('healthStatus', 'ne', 'Active')],
    ['lastSeen gt 2018-08-01Z', compare('lastSeen', 'gt', Date.UTC(2018, 7, 1))],
    [
      "startswith(computerDnsName,'mymachine')",
      { kind: 'text', field: 'computerDnsName', test: 'startswith', value: 'mymachine' },
    ],
    [
      "machineTags/any(tag: tag eq 'ExampleTag')",
      { kind: 'any', field: 'machineTags', inner: compare('machineTags', 'eq', 'ExampleTag') },
    ],
    [
      'rbacGroupId eq 3 and lastSeen gt 2026-01-01T00:00:00Z',
      { kind: 'and', left: compare('rbacGroupId', 'eq', 3), right: compare('lastSeen', 'gt', at) },
    ],
    [
      "startswith(computerDnsName,'o''brien')",
      { kind: 'text', field: 'computerDnsName', test: 'startswith', value: "o'brien" },
    ],
    [
      "(computerDnsName eq 'a') or (lastIpAddress eq '10.0.0.5')",
      { kind: 'or', left: compare('computerDnsName', 'eq', 'a'), right: compare('lastIpAddress', 'eq', '10.0.0.5') },
    ],
  ];
  for (const [text, filter] of cases) test(text, () => expect(machines(text)).toEqual(filter));

  test("machineId eq 'X' and (status eq 'Pending' or status eq 'InProgress')", () => {
    expect(actions("machineId eq 'X' and (status eq 'Pending' or status eq 'InProgress')")).toEqual({
      kind: 'and',
      left: compare('machineId', 'eq', 'x'),
      right: { kind: 'or', left: compare('status', 'eq', 'Pending'), right: compare('status', 'eq', 'InProgress') },
    });
  });
  test('names, words and lists in any case', () => {
    expect(actions("ID IN ('A','b') AND Status EQ 'Pending' aNd CreationDateTimeUtc gE 2026-01-01")).toEqual({
      kind: 'and',
      left: {
        kind: 'and',
        left: { kind: 'in', field: 'id', values: ['a', 'b'] },
        right: compare('status', 'eq', 'Pending'),
      },
      right: compare('creationDateTimeUtc', 'ge', at),
    });
  });
});

describe('order of binding', () => {
  const [a, b, c] = [compare('rbacGroupId', 'eq', 1), compare('rbacGroupId', 'eq', 2), compare('rbacGroupId', 'eq', 3)];
  const [ta, tb, tc] = ['rbacGroupId eq 1', 'rbacGroupId eq 2', 'rbacGroupId eq 3'];
  test('and before or', () => {
    expect(machines(`${ta} or ${tb} and ${tc}`)).toEqual({
      kind: 'or',
      left: a,
      right: { kind: 'and', left: b, right: c },
    });
    expect(machines(`${ta} and ${tb} or ${tc}`)).toEqual({
      kind: 'or',
      left: { kind: 'and', left: a, right: b },
      right: c,
    });
  });
  test('not before and', () => {
    expect(machines(`not ${ta} and ${tb}`)).toEqual({ kind: 'and', left: { kind: 'not', inner: a }, right: b });
    expect(machines(`NOT (${ta} and ${tb})`)).toEqual({ kind: 'not', inner: { kind: 'and', left: a, right: b } });
  });
  test('parentheses before all', () => {
    expect(machines(`(${ta} or ${tb}) and ${tc}`)).toEqual({
      kind: 'and',
      left: { kind: 'or', left: a, right: b },
      right: c,
    });
  });
});

describe('tests', () => {
  const starts = { kind: 'text', field: 'osVersion', test: 'startswith', value: 'a' } as const;
  test('a value on the left is turned round', () => {
    expect(machines("'x' eq id")).toEqual(compare('id', 'eq', 'x'));
    expect(machines('5 gt rbacGroupId')).toEqual(compare('rbacGroupId', 'lt', 5));
    expect(machines('2026-01-01 le lastSeen')).toEqual(compare('lastSeen', 'ge', Date.UTC(2026, 0, 1)));
    expect(machines('null ne osVersion')).toEqual(compare('osVersion', 'ne', null));
  });
  test('a test may be compared with true and false', () => {
    expect(machines("StartsWith(osVersion,'a') eq true")).toEqual(starts);
    expect(machines("startswith(osVersion,'a') eq false")).toEqual({ kind: 'not', inner: starts });
    expect(machines("startswith(osVersion,'a') ne false")).toEqual(starts);
  });
  test('a boolean property stands alone or beside a value', () => {
    expect(machines('isOnline')).toEqual(compare('isOnline', 'eq', true));
    expect(machines("isOnline eq 'FALSE'")).toEqual(compare('isOnline', 'eq', false));
    expect(machines('isOnline and rbacGroupId eq 1').kind).toBe('and');
  });
  test('any with nothing, and with words inside', () => {
    expect(machines('machineTags/any()')).toEqual({ kind: 'any', field: 'machineTags', inner: null });
    expect(machines("machineTags/ANY(x:startswith(X,'a') or not (x eq 'b'))")).toEqual({
      kind: 'any',
      field: 'machineTags',
      inner: {
        kind: 'or',
        left: { kind: 'text', field: 'machineTags', test: 'startswith', value: 'a' },
        right: { kind: 'not', inner: compare('machineTags', 'eq', 'b') },
      },
    });
  });
  test('ids with or without quotes, in lower case', () => {
    const guid = 'D0CC07AB-1234-4321-9999-0123456789AB';
    expect(actions(`id eq ${guid}`)).toEqual(compare('id', 'eq', guid.toLowerCase()));
    expect(actions(`${guid} eq id`)).toEqual(compare('id', 'eq', guid.toLowerCase()));
    expect(actions('machineId eq 1E5BC9D7e413ddd7902c2932e418702b84d0cc07')).toEqual(
      compare('machineId', 'eq', '1e5bc9d7e413ddd7902c2932e418702b84d0cc07'),
    );
  });
  test('numbers, negative, broken, quoted', () => {
    expect(machines('rbacGroupId gt -1.5')).toEqual(compare('rbacGroupId', 'gt', -1.5));
    expect(machines("rbacGroupId eq '3'")).toEqual(compare('rbacGroupId', 'eq', 3));
    expect(machines('rbacGroupId in (1, 2 ,3)')).toEqual({ kind: 'in', field: 'rbacGroupId', values: [1, 2, 3] });
  });
  test('moments in every written form', () => {
    const noon = Date.UTC(2026, 1, 3, 12);
    const forms: [string, number][] = [
      ['2026-02-03T12:00Z', noon],
      ['2026-02-03T12:00:00', noon],
      ["'2026-02-03T12:00:00.0000000Z'", noon],
      ['2026-02-03T14:00:00+02:00', noon],
      ['2026-02-03T14:00:00 02:00', noon],
      ['2026-02-03T07:00:00.5-05:00', noon + 500],
      ['2026-02-03t12:00:00.1239999z', noon + 123],
      ['2026-02-03', noon - 43_200_000],
    ];
    for (const [text, at] of forms) expect(machines(`lastSeen ge ${text}`)).toEqual(compare('lastSeen', 'ge', at));
  });
});

describe('what is refused says where and why', () => {
  const cases: [string, string][] = [
    ['', 'character 1: expected a property out of id, computerDnsName,'],
    ["foo eq 'x'", 'character 1: expected a property out of id, computerDnsName,'],
    ["id eq 'x' and", 'character 14: expected a property out of'],
    ['healthStatus eq Active', 'character 17: expected a text in single quotes, got "Active"'],
    ["id eq 'x", 'character 7: expected the text to end with a single quote'],
    ["id eq 'a' 'b'", 'character 11: expected "and", "or" or the end, got "b"'],
    ["(id eq 'a'", 'character 11: expected ")" or "and" or "or", got the end'],
    ["id like 'a'", 'character 4: expected an operator out of eq, ne, gt, ge, lt, le or in, got "like"'],
    ['lastSeen gt firstSeen', 'character 13: expected a value, since two properties cannot be compared'],
    ['lastSeen gt 2026-02-30', 'character 13: expected a moment such as'],
    ['rbacGroupId eq abc', 'character 16: expected a number, got "abc"'],
    ['rbacGroupId eq 9007199254740992', 'character 16: expected a number'],
    ["machineTags eq 'a'", "character 1: machineTags is a list: expected machineTags/any(x: x eq 'value')"],
    ["'a' eq machineTags", 'character 8: machineTags is a list'],
    ["machineTags/all(x: x eq 'a')", 'character 13: expected any(…), got "all"'],
    ["machineTags/any(x: id eq 'a')", 'character 20: expected a property out of x, got "id"'],
    ["id/any(x: x eq 'a')", 'character 3: expected an operator, since id is not a list'],
    ["tolower(id) eq 'a'", 'character 1: expected a function out of startswith, endswith, contains, got "tolower"'],
    ["startswith('a',id)", 'character 12: expected a property out of'],
    ["startswith(lastSeen,'a')", 'character 12: expected a property that holds text, got lastSeen'],
    ['startswith(id,a)', 'character 15: expected a text in single quotes, got "a"'],
    ['id in ()', 'character 8: expected an id, got ")"'],
    ["id eq 'a' & 1", 'character 11: expected a property, a value, an operator or a parenthesis, got "&"'],
    ["id eq 'a\u0000'", 'character 7: expected a text without NUL characters'],
  ];
  for (const [text, sentence] of cases) {
    test(JSON.stringify(text), () => expect(refusal(text)).toStartWith(`$filter: ${sentence}`));
  }
  test('a long piece of the text is not repeated whole', () => {
    expect(refusal(`id eq 1 ${'x'.repeat(5_000)}`).length).toBeLessThan(200);
  });
});

describe('limits', () => {
  const text = (characters: number): string => `id eq '${'x'.repeat(characters - 8)}'`;
  test('characters', () => {
    expect(machines(text(FILTER_CHARACTERS)).kind).toBe('compare');
    expect(refusal(text(FILTER_CHARACTERS + 1))).toBe('$filter: expected at most 8192 characters, got 8193.');
  });
  const wrapped = (levels: number): string => `${'('.repeat(levels)}isOnline${')'.repeat(levels)}`;
  test('depth', () => {
    expect(machines(wrapped(FILTER_DEPTH)).kind).toBe('compare');
    expect(refusal(wrapped(FILTER_DEPTH + 1))).toContain('expected at most 64 levels');
    expect(machines(`${'not '.repeat(FILTER_DEPTH)}isOnline`).kind).toBe('not');
    expect(refusal(`${'not '.repeat(FILTER_DEPTH + 1)}isOnline`)).toContain('expected at most 64 levels');
  });
});

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const print = (filter: Filter, variable?: string): string => {
  const name = (field: string): string => variable ?? field.toUpperCase();
  switch (filter.kind) {
    case 'compare':
      return `${name(filter.field)} ${filter.op} ${typeof filter.value === 'string' ? quote(filter.value) : filter.value}`;
    case 'in':
      return `${name(filter.field)} in (${filter.values.map((value) => quote(String(value))).join(',')})`;
    case 'text':
      return `${filter.test}(${name(filter.field)},${quote(filter.value)})`;
    case 'any':
      return filter.inner === null ? `${filter.field}/any()` : `${filter.field}/any(v:${print(filter.inner, 'v')})`;
    case 'not':
      return `not (${print(filter.inner, variable)})`;
    default:
      return `((${print(filter.left, variable)}) ${filter.kind} (${print(filter.right, variable)}))`;
  }
};

const word = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\u0000'));
const filters = (field: string, depth: number): fc.Arbitrary<Filter> => {
  const leaf: fc.Arbitrary<Filter> = fc.oneof(
    fc.record({
      kind: fc.constant('compare' as const),
      field: fc.constant(field),
      op: fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le'),
      value: fc.option(word),
    }),
    fc.record({
      kind: fc.constant('in' as const),
      field: fc.constant(field),
      values: fc.array(word, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('text' as const),
      field: fc.constant(field),
      test: fc.constantFrom('startswith', 'endswith', 'contains'),
      value: word,
    }),
  );
  if (depth === 0) return leaf;
  const part = filters(field, depth - 1);
  return fc.oneof(
    leaf,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), left: part, right: part }),
    fc.record({ kind: fc.constant('not' as const), inner: part }),
  );
};

test('what is printed is read back as it was', () => {
  const any = filters('machineTags', 1).map((inner): Filter => ({ kind: 'any', field: 'machineTags', inner }));
  fc.assert(
    fc.property(fc.oneof(filters('osVersion', 3), any), (filter) => {
      expect(machines(print(filter))).toEqual(filter);
    }),
    { numRuns: 300 },
  );
});

test('whatever is sent is read or refused, and never anything else', () => {
  const piece = fc.oneof(
    fc.constantFrom('(', ')', "'", ' and ', ' not ', 'id', ' eq ', ',', '/any(', 'x:', '2026-01-01', ':', '-'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        machines(pieces.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
      }
    }),
    { numRuns: 500 },
  );
});
