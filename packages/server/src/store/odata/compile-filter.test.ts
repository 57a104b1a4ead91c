import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Filter, Literal } from '@longarm/contract/odata/query';
import fc from 'fast-check';
import { Kysely, sql } from 'kysely';
import { bunSqliteDialect } from '../bun-sqlite-dialect.ts';
import type { ColumnMap } from './column-map.ts';
import { compileFilter } from './compile-filter.ts';
import { compileOrderBy } from './compile-order-by.ts';

type Row = {
  id: string;
  name: string | null;
  status: string;
  seen: number | null;
  size: number;
  online: 0 | 1;
};
type Tables = { things: Row; thing_tags: { thing: string; tag: string } };

const STATUSES = ['Pending', 'TimeOut'];
const MAP = {
  id: { kind: 'hex', column: 'things.id' },
  name: { kind: 'text', column: 'things.name', nullable: true },
  status: { kind: 'enum', column: 'things.status', values: STATUSES },
  seen: { kind: 'moment', column: 'things.seen', nullable: true },
  size: { kind: 'number', column: 'things.size' },
  isOnline: { kind: 'boolean', column: 'things.online' },
  /** Computed, as healthStatus is. */
  health: { kind: 'enum', expression: sql`case when things.size > 2 then 'Active' else 'Inactive' end` },
  tags: { kind: 'textList', table: 'thing_tags', owner: 'thing_tags.thing', key: 'things.id', value: 'thing_tags.tag' },
} as const satisfies ColumnMap;

type Thing = Row & { readonly tags: readonly string[] };

const database = new Database(':memory:');
const store = new Kysely<Tables>({ dialect: bunSqliteDialect(database) });

beforeAll(() => {
  database.run(
    'create table things (id text primary key, name text, status text not null, seen integer, size integer not null, online integer not null)',
  );
  database.run('create index things_status on things (status)');
  database.run('create table thing_tags (thing text not null, tag text not null)');
});
afterAll(() => store.destroy());
beforeEach(() => {
  database.run('delete from things');
  database.run('delete from thing_tags');
});

const insert = async (things: readonly Thing[]): Promise<void> => {
  for (const { tags, ...row } of things) {
    await store.insertInto('things').values(row).execute();
    for (const tag of tags) await store.insertInto('thing_tags').values({ thing: row.id, tag }).execute();
  }
};

const idsOf = async (filter: Filter): Promise<readonly string[]> => {
  const rows = await store.selectFrom('things').select('id').where(compileFilter(filter, MAP)).orderBy('id').execute();
  return rows.map(({ id }) => id);
};

const fold = (text: string): string =>
  [...text].map((unit) => (/[A-Z]/.test(unit) ? unit.toLowerCase() : unit)).join('');
const bytes = (text: string): string => Buffer.from(text).toString('hex');

/** What a field of a thing is, in the terms of a filter. */
const fieldOf = (thing: Thing, field: string): Literal => {
  switch (field) {
    case 'isOnline':
      return thing.online === 1;
    case 'health':
      return thing.size > 2 ? 'Active' : 'Inactive';
    case 'id':
    case 'name':
    case 'status':
    case 'seen':
    case 'size':
      return thing[field];
    default:
      throw new Error(field);
  }
};

/** Text compares by its UTF-8 bytes, as both databases do under the plainest collation. */
const order = (left: Exclude<Literal, null>, right: Exclude<Literal, null>): number => {
  const [a, b] = [left, right].map((value) => (typeof value === 'string' ? bytes(fold(value)) : Number(value)));
  if (a === undefined || b === undefined || a === b) return 0;
  return a < b ? -1 : 1;
};

const compares = (op: string, left: Literal, right: Literal): boolean => {
  if (op === 'ne') return !compares('eq', left, right);
  if (left === null || right === null) return op === 'eq' && left === right;
  const sign = order(left, right);
  return { eq: sign === 0, gt: sign > 0, ge: sign >= 0, lt: sign < 0, le: sign <= 0 }[op] ?? false;
};

const matchesText = (test: string, left: Literal, right: string): boolean => {
  if (typeof left !== 'string') return false;
  const [text, part] = [fold(left), fold(right)];
  return (
    { startswith: text.startsWith(part), endswith: text.endsWith(part), contains: text.includes(part) }[test] ?? false
  );
};

/** The meaning of a filter, as plainly as it can be said. */
const holds = (filter: Filter, thing: Thing, read: (field: string) => Literal): boolean => {
  switch (filter.kind) {
    case 'compare':
      return compares(filter.op, read(filter.field), filter.value);
    case 'in':
      return filter.values.some((value) => compares('eq', read(filter.field), value));
    case 'text':
      return matchesText(filter.test, read(filter.field), filter.value);
    case 'any': {
      const { inner } = filter;
      return thing.tags.some((tag) => inner === null || holds(inner, thing, () => tag));
    }
    case 'and':
      return holds(filter.left, thing, read) && holds(filter.right, thing, read);
    case 'or':
      return holds(filter.left, thing, read) || holds(filter.right, thing, read);
    case 'not':
      return !holds(filter.inner, thing, read);
  }
};

// few different texts, so that they meet; with everything that LIKE and letter case could get wrong
const text = fc.oneof(
  fc.constantFrom('', 'a', 'A', 'ab', 'aB', '%', '_', '\\', 'a%', 'a_b', 'a\\b', 'é', 'É', "'", 'Ω', '😀'),
  fc.string({ unit: fc.constantFrom('a', 'B', '%', '_', '\\'), maxLength: 4 }),
);
const number = fc.constantFrom(-3, 0, 1, 2, 3, 2.5, -2.5, 1_700_000_000_000, Number.MAX_SAFE_INTEGER);
const LITERALS: Readonly<Record<string, fc.Arbitrary<Literal>>> = {
  id: fc.constantFrom('a', 'A', 'b', 'c'),
  name: fc.option(text),
  status: fc.constantFrom('Pending', 'pENDING', 'TimeOut', 'Nothing', null),
  seen: fc.option(number),
  size: number,
  isOnline: fc.boolean(),
  health: fc.constantFrom('active', 'Inactive', 'x'),
};

const testOf = (field: string, literal: fc.Arbitrary<Literal>): fc.Arbitrary<Filter> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('compare' as const),
      field: fc.constant(field),
      op: fc.constantFrom('eq' as const, 'ne' as const, 'gt' as const, 'ge' as const, 'lt' as const, 'le' as const),
      value: literal,
    }),
    fc.record({
      kind: fc.constant('in' as const),
      field: fc.constant(field),
      values: fc.array(literal, { minLength: 1, maxLength: 4 }),
    }),
  );
const textTest = (field: string): fc.Arbitrary<Filter> =>
  fc.record({
    kind: fc.constant('text' as const),
    field: fc.constant(field),
    test: fc.constantFrom('startswith' as const, 'endswith' as const, 'contains' as const),
    value: text,
  });
const composed = (leaf: fc.Arbitrary<Filter>, depth: number): fc.Arbitrary<Filter> => {
  if (depth === 0) return leaf;
  const part = composed(leaf, depth - 1);
  return fc.oneof(
    leaf,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), left: part, right: part }),
    fc.record({ kind: fc.constant('not' as const), inner: part }),
  );
};
const member = composed(fc.oneof(testOf('tags', text), textTest('tags')), 1);
const any = fc.option(member).map((inner): Filter => ({ kind: 'any', field: 'tags', inner }));
const anyFilter = composed(
  fc.oneof(
    ...Object.entries(LITERALS).map(([field, literal]) => testOf(field, literal)),
    textTest('name'),
    textTest('status'),
    any,
  ),
  3,
);

const thing = (id: string): fc.Arbitrary<Thing> =>
  fc.record({
    id: fc.constant(id),
    name: fc.option(text),
    status: fc.constantFrom('Pending', 'TimeOut'),
    seen: fc.option(fc.constantFrom(0, 2, 1_700_000_000_000)),
    size: fc.constantFrom(-3, 0, 1, 2, 3),
    online: fc.constantFrom(0 as const, 1 as const),
    tags: fc.array(text, { maxLength: 2 }),
  });

test('the database answers as the meaning of the filter says', async () => {
  const world = fc.tuple(...['a', 'b', 'c', 'd'].map(thing));
  await fc.assert(
    fc
      .asyncProperty(world, fc.array(anyFilter, { minLength: 10, maxLength: 10 }), async (things, filters) => {
        await insert(things);
        for (const filter of filters) {
          const expected = things.filter((one) => holds(filter, one, (field) => fieldOf(one, field)));
          expect(await idsOf(filter)).toEqual(expected.map(({ id }) => id));
        }
      })
      .afterEach(() => {
        database.run('delete from things');
        database.run('delete from thing_tags');
      }),
    { numRuns: 200 },
  );
});

const PLAIN: Thing = { id: 'a', name: 'x', status: 'Pending', seen: null, size: 1, online: 1, tags: [] };
const eq = (field: string, value: Literal): Filter => ({ kind: 'compare', field, op: 'eq', value });

describe('the longest filters still run', () => {
  const many = (count: number, kind: 'and' | 'or', part: Filter): Filter =>
    Array.from({ length: count }).reduce<Filter>((left) => ({ kind, left, right: part }), part);
  test('thousands of members', async () => {
    await insert([PLAIN, { ...PLAIN, id: 'b', name: null }]);
    expect(await idsOf(many(4_000, 'or', eq('name', 'X')))).toEqual(['a']);
    expect(await idsOf({ kind: 'not', inner: many(4_000, 'and', eq('name', 'X')) })).toEqual(['b']);
    expect(await idsOf({ kind: 'any', field: 'tags', inner: many(2_000, 'or', eq('tags', 'X')) })).toEqual([]);
    const values = Array.from({ length: 4_000 }, (_, index) => `v${index}`);
    expect(await idsOf({ kind: 'in', field: 'name', values: [...values, 'x'] })).toEqual(['a']);
  });
  test('the longest pattern', async () => {
    await insert([PLAIN]);
    expect(await idsOf({ kind: 'text', field: 'name', test: 'contains', value: '%'.repeat(8_192) })).toEqual([]);
  });
});

test('literals are bound and never part of the text', () => {
  const filter: Filter = {
    kind: 'and',
    left: eq('name', 'secret-1'),
    right: { kind: 'in', field: 'size', values: [4711] },
  };
  const query = store.selectFrom('things').select('id').where(compileFilter(filter, MAP)).compile();
  expect(query.sql).not.toMatch(/secret|4711/);
  expect(query.parameters).toEqual(['secret-1', 4711]);
});

test('ids and closed sets meet the index of the plain column', () => {
  const planOf = (filter: Filter): string => {
    const { sql: text, parameters } = store
      .selectFrom('things')
      .select('id')
      .where(compileFilter(filter, MAP))
      .compile();
    const rows = database
      .query<{ detail: string }, string[]>(`explain query plan ${text}`)
      .all(...parameters.map(String));
    return rows.map(({ detail }) => detail).join('; ');
  };
  expect(planOf(eq('status', 'pending'))).toContain('INDEX things_status (status=?)');
  expect(planOf({ kind: 'in', field: 'status', values: ['pending', 'TIMEOUT'] })).toContain(
    'INDEX things_status (status=?)',
  );
  expect(planOf(eq('id', 'A'))).toContain('(id=?)');
});

describe('order', () => {
  const sorted = async (direction: 'asc' | 'desc', field: string): Promise<readonly string[]> => {
    let query = store.selectFrom('things').select('id');
    for (const term of compileOrderBy([{ field, direction }], MAP))
      query = query.orderBy(term.expression, term.modifiers);
    return (await query.orderBy('id').execute()).map(({ id }) => id);
  };
  test('text without case, null before all in rising order', async () => {
    await insert([
      { ...PLAIN, id: '1', name: 'b' },
      { ...PLAIN, id: '2', name: null },
      { ...PLAIN, id: '3', name: 'A' },
      { ...PLAIN, id: '4', name: 'C' },
    ]);
    expect(await sorted('asc', 'name')).toEqual(['2', '3', '1', '4']);
    expect(await sorted('desc', 'name')).toEqual(['4', '1', '3', '2']);
  });
  test('computed values sort too', async () => {
    await insert([
      { ...PLAIN, id: '1', size: 0 },
      { ...PLAIN, id: '2', size: 3 },
    ]);
    expect(await sorted('asc', 'health')).toEqual(['2', '1']);
    expect(await sorted('desc', 'health')).toEqual(['1', '2']);
  });
  test('PostgreSQL is told where null belongs', () => {
    const compiled = (direction: 'asc' | 'desc'): string => {
      const [term] = compileOrderBy([{ field: 'seen', direction }], MAP);
      if (term === undefined) throw new Error('no term');
      return store.selectFrom('things').select('id').orderBy(term.expression, term.modifiers).compile().sql;
    };
    expect(compiled('asc')).toEndWith('asc nulls first');
    expect(compiled('desc')).toEndWith('desc nulls last');
  });
});
