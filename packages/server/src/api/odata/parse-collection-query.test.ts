import { describe, expect, test } from 'bun:test';
import { Refusal } from '@longarm/contract/errors';
import { ACTION_FIELDS } from '@longarm/contract/odata/fields';
import { parseCollectionQuery } from './parse-collection-query.ts';

const COLLECTION = {
  fields: { ...ACTION_FIELDS, tags: 'textList' },
  properties: ['id', 'status', 'commands'],
} as const;
const parse = (query: string) => parseCollectionQuery(new URLSearchParams(query), COLLECTION);
const refusal = (query: string): string => {
  try {
    parse(query);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ODataError') return error.message;
    throw error;
  }
  throw new Error(`nothing was refused in ${query}`);
};

test('no option: everything, from the start', () => {
  expect(parse('')).toEqual({ filter: null, orderBy: [], select: null, top: null, skip: 0, count: false });
});

test('all options, in any case and with or without the dollar', () => {
  const query =
    '$COUNT=True&top=20&%24Skip=40&$orderBy=CreationDateTimeUtc DESC, id&$filter=status+eq+%27Failed%27&$select=ID,Status,id';
  expect(parse(query)).toEqual({
    filter: { kind: 'compare', field: 'status', op: 'eq', value: 'Failed' },
    orderBy: [
      { field: 'creationDateTimeUtc', direction: 'desc' },
      { field: 'id', direction: 'asc' },
    ],
    select: ['id', 'status'],
    top: 20,
    skip: 40,
    count: true,
  });
});

test('$expand and options of others change nothing', () => {
  expect(parse('$expand=evidence&api-version=1.0')).toEqual(parse(''));
});
test('$select=* is everything', () => expect(parse('$select=id,*').select).toBeNull());

test('$top at its limits', () => {
  expect(parse('$top=0').top).toBe(0);
  expect(parse('$top=10000').top).toBe(10_000);
  expect(refusal('$top=10001')).toBe('$top: expected a whole number from 0 to 10000, got "10001".');
});

describe('refused', () => {
  const cases: [string, string][] = [
    ['$stop=5', '"$stop": expected an option out of $filter, $orderby, $top, $skip, $count, $select.'],
    ['$top=-1', '$top: expected a whole number from 0 to 10000, got "-1".'],
    ['$top=', '$top: expected a whole number from 0 to 10000, got "".'],
    ['$top=1.5', '$top: expected a whole number'],
    ['$skip=x', '$skip: expected a whole number'],
    ['$count=yes', '$count: expected true or false, got "yes".'],
    ['$top=1&$TOP=2', '$top: expected the option once, got it twice.'],
    ['$select=', '$select: expected properties out of id, status, commands, got "".'],
    ['$select=secret', '$select: expected properties out of id, status, commands, got "secret".'],
    ['$orderby=nothing', '$orderby: expected a property out of id, status,'],
    ['$orderby=tags', '$orderby: expected a property out of id, status,'],
    ['$orderby=id up', '$orderby: expected a property, or a property and asc or desc, got "id up".'],
    ['$orderby=', '$orderby: expected a property, or'],
    ['$filter=', '$filter: character 1: expected a property out of'],
  ];
  for (const [query, sentence] of cases) test(query, () => expect(refusal(query)).toStartWith(sentence));
});
