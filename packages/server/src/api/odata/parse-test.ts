/**
 * One test of a filter:
 *
 *     test    = field op value | value op field | field "in" "(" value { "," value } ")" | field (of kind boolean)
 *             | function "(" field "," text ")" | list "/" "any" "(" [ variable ":" or ] ")"
 *
 * A comparison with the value on its left is turned round, so that the rest of the program knows one form.
 */
import { COMPARISONS, type Comparison, type Filter, type Literal, TEXT_TESTS } from '@longarm/contract/odata/query';
import { isBareLiteral, readLiteral } from './literal.ts';
import { faultAt, shown } from './odata-fault.ts';
import { lambdaScope, type Scope, type ScopedField } from './scope.ts';
import { isToken, type TokenReader } from './token-reader.ts';
import type { Token } from './tokenize.ts';

/** How the parser of a whole expression is handed in: it and this file know each other by this type alone. */
type ParseExpression = (reader: TokenReader, scope: Scope) => Filter;

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  eq: 'eq',
  ne: 'ne',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
};

const KINDS_OF_TEXT: readonly string[] = ['text', 'enum', 'guid', 'hex'];

/** The field that a token names. Throws ODataError with the known names. */
const resolveField = (token: Token, scope: Scope): ScopedField => {
  const field = token.kind === 'bare' ? scope.resolve(token.text) : null;
  if (field !== null) return field;
  const got = token.kind === 'end' ? 'the end' : shown(token.text);
  throw faultAt('$filter', token.at, `expected a property out of ${scope.names.join(', ')}, got ${got}.`);
};

const refuseList = (token: Token, field: ScopedField): void => {
  if (field.kind !== 'textList') return;
  const sentence = `${field.name} is a list: expected ${field.name}/any(x: x eq 'value'), got a plain comparison.`;
  throw faultAt('$filter', token.at, sentence);
};

const takeComparison = (reader: TokenReader): Comparison => {
  const op = COMPARISONS.find((name) => isToken(reader.peek(), name));
  if (op === undefined) throw reader.fault(`an operator out of ${COMPARISONS.join(', ')} or in`);
  reader.take();
  return op;
};

const parseFunction = (reader: TokenReader, scope: Scope): Filter | null => {
  const test = TEXT_TESTS.find((name) => isToken(reader.peek(), name));
  if (test === undefined || !isToken(reader.peek(1), '(')) return null;
  reader.take();
  reader.take();
  const place = reader.take();
  const field = resolveField(place, scope);
  if (!KINDS_OF_TEXT.includes(field.kind)) {
    throw faultAt('$filter', place.at, `expected a property that holds text, got ${field.name}.`);
  }
  reader.expect(',', `between the two arguments of ${test}`);
  const argument = reader.peek();
  if (argument.kind !== 'text') throw reader.fault('a text in single quotes');
  reader.take();
  reader.expect(')', `at the end of ${test}`);
  return { kind: 'text', field: field.name, test, value: argument.text };
};

const parseAny = (reader: TokenReader, list: ScopedField, parseExpression: ParseExpression): Filter => {
  reader.expect('/', 'and any(…)');
  if (!reader.takeIf('any')) throw reader.fault('any(…)');
  reader.expect('(', 'after any');
  if (reader.takeIf(')')) return { kind: 'any', field: list.name, inner: null };
  if (reader.peek().kind !== 'bare') throw reader.fault('a variable, as in any(x: x eq …)');
  const variable = reader.take().text;
  reader.expect(':', 'after the variable of any');
  const inner = reader.nested(() => parseExpression(reader, lambdaScope(variable, list)));
  reader.expect(')', 'at the end of any(…)');
  return { kind: 'any', field: list.name, inner };
};

const parseIn = (reader: TokenReader, field: ScopedField): Filter => {
  reader.expect('(', 'after in');
  const values: Literal[] = [readLiteral(reader.take(), field.kind)];
  while (reader.takeIf(',')) values.push(readLiteral(reader.take(), field.kind));
  reader.expect(')', 'or "," in the list of values');
  return { kind: 'in', field: field.name, values };
};

const parseMirrored = (reader: TokenReader, scope: Scope): Filter => {
  const value = reader.take();
  const op = takeComparison(reader);
  const place = reader.take();
  const field = resolveField(place, scope);
  refuseList(place, field);
  return { kind: 'compare', field: field.name, op: MIRRORED[op], value: readLiteral(value, field.kind) };
};

const parseComparison = (reader: TokenReader, field: ScopedField, scope: Scope): Filter => {
  if (reader.takeIf('in')) return parseIn(reader, field);
  const isOperator = COMPARISONS.some((name) => isToken(reader.peek(), name));
  if (!isOperator && field.kind === 'boolean') return { kind: 'compare', field: field.name, op: 'eq', value: true };
  const op = takeComparison(reader);
  const value = reader.peek();
  if (value.kind === 'bare' && !isBareLiteral(value.text) && scope.resolve(value.text) !== null) {
    throw reader.fault('a value, since two properties cannot be compared');
  }
  return { kind: 'compare', field: field.name, op, value: readLiteral(reader.take(), field.kind) };
};

/** Reads one test. Throws ODataError. */
export const parseTest = (reader: TokenReader, scope: Scope, parseExpression: ParseExpression): Filter => {
  const next = reader.peek();
  const fromFunction = parseFunction(reader, scope);
  if (fromFunction !== null) return fromFunction;
  if (next.kind === 'text') return parseMirrored(reader, scope);
  if (next.kind === 'bare' && scope.resolve(next.text) === null && isBareLiteral(next.text)) {
    return parseMirrored(reader, scope);
  }
  if (next.kind === 'bare' && isToken(reader.peek(1), '(')) {
    throw reader.fault(`a function out of ${TEXT_TESTS.join(', ')}`);
  }
  const field = resolveField(next, scope);
  reader.take();
  if (isToken(reader.peek(), '/')) {
    if (field.kind === 'textList') return parseAny(reader, field, parseExpression);
    throw reader.fault(`an operator, since ${field.name} is not a list`);
  }
  refuseList(next, field);
  return parseComparison(reader, field, scope);
};
