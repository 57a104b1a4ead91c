/**
 * `$filter` → `Filter`, by recursive descent. OData 4.01 URL Conventions 5.1.1: `not` binds closer than `and`, `and`
 * closer than `or`; words are matched in any case.
 *
 *     or      = and { "or" and }
 *     and     = unary { "and" unary }
 *     unary   = "not" unary | "(" or ")" | test          each but the first optionally followed by "eq true"
 *     test    = see parse-test.ts
 */
import { FILTER_CHARACTERS } from '@longarm/contract/limits';
import type { FieldTable } from '@longarm/contract/odata/fields';
import type { Filter } from '@longarm/contract/odata/query';
import { optionFault } from './odata-fault.ts';
import { parseTest } from './parse-test.ts';
import { type Scope, scopeOf } from './scope.ts';
import { isToken, type TokenReader, tokenReader } from './token-reader.ts';

const parseUnary = (reader: TokenReader, scope: Scope): Filter => {
  const next = reader.peek();
  if (isToken(next, 'not')) {
    reader.take();
    return { kind: 'not', inner: reader.nested(() => parseUnary(reader, scope)) };
  }
  if (!isToken(next, '(')) return withTruth(reader, parseTest(reader, scope, parseOr));
  reader.take();
  const inner = reader.nested(() => parseOr(reader, scope));
  reader.expect(')', 'or "and" or "or"');
  return withTruth(reader, inner);
};

/** `startswith(…) eq true` says no more than `startswith(…)`, and some clients say it. */
const withTruth = (reader: TokenReader, filter: Filter): Filter => {
  const isEqual = isToken(reader.peek(), 'eq');
  if (!isEqual && !isToken(reader.peek(), 'ne')) return filter;
  reader.take();
  const isTrue = reader.takeIf('true');
  if (!isTrue && !reader.takeIf('false')) throw reader.fault('true or false after a test');
  return isTrue === isEqual ? filter : { kind: 'not', inner: filter };
};

const parseAnd = (reader: TokenReader, scope: Scope): Filter => {
  let left = parseUnary(reader, scope);
  while (reader.takeIf('and')) left = { kind: 'and', left, right: parseUnary(reader, scope) };
  return left;
};

const parseOr = (reader: TokenReader, scope: Scope): Filter => {
  let left = parseAnd(reader, scope);
  while (reader.takeIf('or')) left = { kind: 'or', left, right: parseAnd(reader, scope) };
  return left;
};

/**
 * Reads a filter over the fields of one collection. Field names come out in the table's spelling, literals in the
 * type of their field. Throws ODataError that names the character, what was expected and what was got.
 */
export const parseFilter = (text: string, fields: FieldTable): Filter => {
  if (text.length > FILTER_CHARACTERS) {
    throw optionFault('$filter', `expected at most ${FILTER_CHARACTERS} characters, got ${text.length}.`);
  }
  const reader = tokenReader(text);
  const filter = parseOr(reader, scopeOf(fields));
  if (reader.peek().kind !== 'end') throw reader.fault('"and", "or" or the end');
  return filter;
};
