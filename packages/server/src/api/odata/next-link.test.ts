import { expect, test } from 'bun:test';
import { ACTION_FIELDS } from '@longarm/contract/odata/fields';
import fc from 'fast-check';
import { nextLink } from './next-link.ts';
import { parseCollectionQuery } from './parse-collection-query.ts';

const PAGE = { publicUrl: 'https://lr.example', path: '/api/machineactions' };

test('keeps every other option, in order and readable', () => {
  const params = new URLSearchParams("$filter=status eq 'Failed'&$Top=9&$skip=3&$orderby=id desc&x=1%262");
  expect(nextLink({ ...PAGE, params, skip: 5, top: 7 })).toBe(
    "https://lr.example/api/machineactions?$filter=status+eq+'Failed'&$orderby=id+desc&x=1%262&$skip=5&$top=7",
  );
});

test('asks for no number of rows where none is left to ask for', () => {
  expect(nextLink({ ...PAGE, params: new URLSearchParams(), skip: 10_000, top: null })).toBe(
    'https://lr.example/api/machineactions?$skip=10000',
  );
});

test('followed, it is read as the same query further on', () => {
  const collection = { fields: ACTION_FIELDS, properties: ['id'] };
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\u0000'));
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(10_000), (value, skip, top) => {
      const params = new URLSearchParams({
        $filter: `requestor eq '${value.replaceAll("'", "''")}'`,
        skip: '1',
        $top: '2',
      });
      const link = new URL(nextLink({ ...PAGE, params, skip, top }));
      const read = parseCollectionQuery(link.searchParams, collection);
      expect(read).toEqual({ ...parseCollectionQuery(params, collection), skip, top });
    }),
  );
});
