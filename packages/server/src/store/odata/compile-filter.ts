/**
 * `Filter` → one SQL condition, the same on SQLite and PostgreSQL. Every test is true or false, as OData has it for
 * comparisons: `x ne 'v'` and `not (x gt 1)` hold for a null `x`, `x gt 1` does not; a null text starts with nothing.
 * SQL has a third answer, so negation is carried down to the single tests, where NULL is asked for by name; nothing
 * above them ever negates. Literals are always bound, never part of the text.
 */
import type { Filter, Literal } from '@longarm/contract/odata/query';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { ColumnMap, FieldColumn, TextListColumn, ValueColumn } from './column-map.ts';
import { compileComparison, compileMembership, compileTextTest, NEVER, valueIn } from './compile-comparison.ts';

type Condition = RawBuilder<SqlBool>;
type Of<Kind extends Filter['kind']> = Extract<Filter, { readonly kind: Kind }>;

/** Finds the column of a field. Inside `any` the list's field stands for one of its texts. */
type Columns = (field: string) => FieldColumn;

const valueColumn = (columns: Columns, field: string): ValueColumn => {
  const column = columns(field);
  if (column.kind === 'textList') throw new Error(`the list ${field} is compared as a value: the parser refuses this`);
  return column;
};

/** SQLite bounds how deep an expression may be, and a chain is as deep as it is long: long ones are halved. */
const CHAIN_MEMBERS = 64;

const join = (conditions: readonly Condition[], word: 'and' | 'or'): Condition => {
  const half = Math.ceil(conditions.length / 2);
  const parts =
    conditions.length <= CHAIN_MEMBERS
      ? conditions
      : [join(conditions.slice(0, half), word), join(conditions.slice(half), word)];
  return sql<SqlBool>`(${sql.join(parts, word === 'and' ? sql` and ` : sql` or `)})`;
};

const isNull = (column: ValueColumn): Condition =>
  column.nullable === true ? sql<SqlBool>`${valueIn(column)} is null` : NEVER;

const isNotNull = (column: ValueColumn): Condition =>
  column.nullable === true ? sql<SqlBool>`${valueIn(column)} is not null` : sql<SqlBool>`1 = 1`;

/** A test that NULL fails, or its negation, which NULL passes. */
const signed = (column: ValueColumn, test: Condition, negated: boolean): Condition => {
  if (!negated) return test;
  const denied = sql<SqlBool>`not (${test})`;
  return column.nullable === true ? join([isNull(column), denied], 'or') : denied;
};

const compileCompare = (filter: Of<'compare'>, columns: Columns, negated: boolean): Condition => {
  const column = valueColumn(columns, filter.field);
  const denies = (filter.op === 'ne') !== negated;
  const op = filter.op === 'ne' ? 'eq' : filter.op;
  if (filter.value !== null) return signed(column, compileComparison(column, op, filter.value), denies);
  if (op === 'eq') return denies ? isNotNull(column) : isNull(column);
  return signed(column, NEVER, denies);
};

const isValue = (value: Literal): value is Exclude<Literal, null> => value !== null;

const compileIn = (filter: Of<'in'>, columns: Columns, negated: boolean): Condition => {
  const column = valueColumn(columns, filter.field);
  const anyEqual = compileMembership(column, filter.values.filter(isValue));
  if (!filter.values.includes(null)) return signed(column, anyEqual, negated);
  if (!negated) return join([isNull(column), anyEqual], 'or');
  return join([isNotNull(column), sql<SqlBool>`not (${anyEqual})`], 'and');
};

const memberOf = (list: TextListColumn): ValueColumn => ({ kind: 'text', column: list.value });

const compileAny = (filter: Of<'any'>, columns: Columns, negated: boolean): Condition => {
  const list = columns(filter.field);
  if (list.kind !== 'textList') throw new Error(`any() on ${filter.field}, which is no list: the parser refuses this`);
  const member = memberOf(list);
  const inner = filter.inner === null ? sql<SqlBool>`1 = 1` : compile(filter.inner, () => member, false);
  const exists = sql<SqlBool>`exists (select 1 from ${sql.table(list.table)} where ${sql.ref(list.owner)} = ${sql.ref(list.key)} and ${inner})`;
  return negated ? sql<SqlBool>`not ${exists}` : exists;
};

/** The members of a chain of one word, which the parser leans to the left. */
const chain = (filter: Filter, word: 'and' | 'or'): readonly Filter[] => {
  const members: Filter[] = [];
  let rest = filter;
  while (rest.kind === word) {
    members.push(rest.right);
    rest = rest.left;
  }
  return [...members, rest].reverse();
};

const compileChain = (filter: Of<'and' | 'or'>, columns: Columns, negated: boolean): Condition => {
  const members = chain(filter, filter.kind).map((member) => compile(member, columns, negated));
  return join(members, (filter.kind === 'and') === negated ? 'or' : 'and');
};

const compile = (filter: Filter, columns: Columns, negated: boolean): Condition => {
  switch (filter.kind) {
    case 'compare':
      return compileCompare(filter, columns, negated);
    case 'in':
      return compileIn(filter, columns, negated);
    case 'text': {
      const column = valueColumn(columns, filter.field);
      return signed(column, compileTextTest(column, filter.test, filter.value), negated);
    }
    case 'any':
      return compileAny(filter, columns, negated);
    case 'and':
    case 'or':
      return compileChain(filter, columns, negated);
    case 'not':
      return compile(filter.inner, columns, !negated);
  }
};

/** A condition for `where`. The filter has come from the parser, so that its fields are known. */
export const compileFilter = (filter: Filter, map: ColumnMap): RawBuilder<SqlBool> =>
  compile(
    filter,
    (field) => {
      const column = map[field];
      if (column === undefined) throw new Error(`the store has no column for the field ${field}`);
      return column;
    },
    false,
  );
