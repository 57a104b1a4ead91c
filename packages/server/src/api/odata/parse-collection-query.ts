/**
 * The query options of a collection, read. Names match in any case, with or without `$` (OData 4.01 Protocol 11.2.1);
 * options that do not start with `$` and that OData does not know are the business of others.
 */
import { PAGE_ROWS } from '@longarm/contract/limits';
import type { FieldTable } from '@longarm/contract/odata/fields';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import { optionFault, shown } from './odata-fault.ts';
import { parseFilter } from './parse-filter.ts';
import { parseOrderBy } from './parse-order-by.ts';

export const QUERY_OPTIONS = ['filter', 'orderby', 'top', 'skip', 'count', 'select'] as const;
export type QueryOption = (typeof QUERY_OPTIONS)[number];

/** What a collection lets its callers ask for. */
export type Collection = {
  readonly fields: FieldTable;
  /** Keys of the entity, for `$select`. */
  readonly properties: readonly string[];
};

const KNOWN = QUERY_OPTIONS.map((name) => `$${name}`).join(', ');

/** The option that a parameter's name stands for; null for what is not ours. Throws ODataError for an unknown `$name`. */
export const queryOptionOf = (name: string): QueryOption | null => {
  const bare = name.toLowerCase().replace(/^\$/, '');
  const option = QUERY_OPTIONS.find((known) => known === bare);
  if (option !== undefined) return option;
  // clients of the original send $expand; nothing here expands, and leaving it out changes no row
  if (!name.startsWith('$') || bare === 'expand') return null;
  throw optionFault(shown(name), `expected an option out of ${KNOWN}.`);
};

const readOptions = (params: URLSearchParams): ReadonlyMap<QueryOption, string> => {
  const options = new Map<QueryOption, string>();
  for (const [name, value] of params) {
    const option = queryOptionOf(name);
    if (option === null) continue;
    if (options.has(option)) throw optionFault(`$${option}`, 'expected the option once, got it twice.');
    options.set(option, value);
  }
  return options;
};

const wholeNumber = (option: QueryOption, text: string, most: number): number => {
  const value = /^\s*\d{1,16}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most))
    throw optionFault(`$${option}`, `expected a whole number from 0 to ${most}, got ${shown(text)}.`);
  return value;
};

const boolean = (option: QueryOption, text: string): boolean => {
  if (/^\s*true\s*$/i.test(text)) return true;
  if (/^\s*false\s*$/i.test(text)) return false;
  throw optionFault(`$${option}`, `expected true or false, got ${shown(text)}.`);
};

const parseSelect = (text: string, properties: readonly string[]): readonly string[] | null => {
  const names = text.split(',').map((name) => name.trim());
  const selected = names.map((name) => {
    if (name === '*') return name;
    const property = properties.find((known) => known.toLowerCase() === name.toLowerCase());
    if (property === undefined) {
      throw optionFault('$select', `expected properties out of ${properties.join(', ')}, got ${shown(name)}.`);
    }
    return property;
  });
  return selected.includes('*') ? null : [...new Set(selected)];
};

/** Reads all options. Throws `Refusal` ODataError with a sentence. */
export const parseCollectionQuery = (params: URLSearchParams, collection: Collection): CollectionQuery => {
  const options = readOptions(params);
  const read = <T, Absent>(name: QueryOption, parse: (text: string) => T, absent: Absent): T | Absent => {
    const text = options.get(name);
    return text === undefined ? absent : parse(text);
  };
  return {
    filter: read('filter', (text) => parseFilter(text, collection.fields), null),
    orderBy: read('orderby', (text) => parseOrderBy(text, collection.fields), []),
    select: read('select', (text) => parseSelect(text, collection.properties), null),
    top: read('top', (text) => wholeNumber('top', text, PAGE_ROWS), null),
    skip: read('skip', (text) => wholeNumber('skip', text, Number.MAX_SAFE_INTEGER), 0),
    count: read('count', (text) => boolean('count', text), false),
  };
};
