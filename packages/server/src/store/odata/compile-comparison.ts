/**
 * One comparison of one value with a literal → SQL that is true, or not true (false or NULL). What NULL has to mean is
 * settled in `compile-filter.ts`.
 */
import type { Comparison, Literal, TextTest } from '@longarm/contract/odata/query';
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { ValueColumn } from './column-map.ts';
import { foldCase } from './fold-case.ts';

export const NEVER: RawBuilder<SqlBool> = sql<SqlBool>`1 = 0`;

const OPERATORS = { eq: sql`=`, gt: sql`>`, ge: sql`>=`, lt: sql`<`, le: sql`<=` } as const satisfies Record<
  Exclude<Comparison, 'ne'>,
  RawBuilder<unknown>
>;
type Operator = keyof typeof OPERATORS;

export const valueIn = (column: ValueColumn): Expression<unknown> =>
  column.expression === undefined ? sql.ref(column.column) : column.expression;

const compare = (left: Expression<unknown>, op: Operator, right: string | number): RawBuilder<SqlBool> =>
  // the cast keeps PostgreSQL from reading a large number as the narrower type of the column
  typeof right === 'number'
    ? sql<SqlBool>`${left} ${OPERATORS[op]} cast(${right} as bigint)`
    : sql<SqlBool>`${left} ${OPERATORS[op]} ${right}`;

/** Columns hold whole numbers only, so that a fraction is compared through the whole number below it. */
const compareNumber = (left: Expression<unknown>, op: Operator, value: number): RawBuilder<SqlBool> => {
  if (Number.isInteger(value)) return compare(left, op, value);
  const below = Math.floor(value);
  if (op === 'eq') return NEVER;
  return compare(left, op === 'gt' || op === 'ge' ? 'gt' : 'le', below);
};

/** What a text is compared with, and through which form of the column, so that case does not matter. */
const folded = (column: ValueColumn): Expression<unknown> =>
  column.kind === 'guid' || column.kind === 'hex' ? valueIn(column) : sql`lower(${valueIn(column)})`;

/** The spelling that is stored, where the column has a closed set and the text is one of it. */
const storedSpelling = (values: readonly string[], text: string): string | undefined =>
  values.find((known) => foldCase(known) === foldCase(text));

const compareText = (column: ValueColumn, op: Operator, value: string): RawBuilder<SqlBool> => {
  if (op !== 'eq' || column.values === undefined) return compare(folded(column), op, foldCase(value));
  const stored = storedSpelling(column.values, value);
  return stored === undefined ? NEVER : compare(valueIn(column), 'eq', stored);
};

/** `ne` is the negation of `eq`. A literal is never null here, and has the type of the column's kind. */
export const compileComparison = (
  column: ValueColumn,
  op: Operator,
  value: Exclude<Literal, null>,
): RawBuilder<SqlBool> => {
  if (typeof value === 'string') return compareText(column, op, value);
  return compareNumber(valueIn(column), op, Number(value));
};

const isOneOf = (left: Expression<unknown>, values: readonly unknown[]): RawBuilder<SqlBool> =>
  values.length === 0 ? NEVER : sql<SqlBool>`${left} in (${sql.join(values)})`;

/** Equality with one of the literals, as one list: an `or` of thousands lies deeper than SQLite allows. */
export const compileMembership = (
  column: ValueColumn,
  values: readonly Exclude<Literal, null>[],
): RawBuilder<SqlBool> => {
  const texts = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value !== 'string').map(Number);
  if (numbers.length > 0) {
    const whole = numbers.filter(Number.isInteger).map((value) => sql`cast(${value} as bigint)`);
    return isOneOf(valueIn(column), whole);
  }
  const { values: closed } = column;
  if (closed === undefined) return isOneOf(folded(column), texts.map(foldCase));
  const stored = texts.map((text) => storedSpelling(closed, text)).filter((text) => text !== undefined);
  return isOneOf(valueIn(column), stored);
};

const PATTERNS: Readonly<Record<TextTest, (escaped: string) => string>> = {
  startswith: (escaped) => `${escaped}%`,
  endswith: (escaped) => `%${escaped}`,
  contains: (escaped) => `%${escaped}%`,
};

export const compileTextTest = (column: ValueColumn, test: TextTest, value: string): RawBuilder<SqlBool> => {
  const escaped = foldCase(value).replace(/[\\%_]/g, (character) => `\\${character}`);
  return sql<SqlBool>`lower(${valueIn(column)}) like ${PATTERNS[test](escaped)} escape '\\'`;
};
