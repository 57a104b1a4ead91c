/** A place in the tokens of a filter: the parser looks at the next one, takes it, or refuses it. */

import type { Refusal } from '@longarm/contract/errors';
import { FILTER_DEPTH } from '@longarm/contract/limits';
import { faultAt, shown } from './odata-fault.ts';
import { type Token, tokenize } from './tokenize.ts';

export type TokenReader = {
  /** The token that is `ahead` of the next one, without taking it. */
  readonly peek: (ahead?: number) => Token;
  readonly take: () => Token;
  /** Takes the next token where it is this bare word, in any case, or this punctuation. */
  readonly takeIf: (text: string) => boolean;
  readonly expect: (punctuation: string, why: string) => void;
  /** A refusal of the next token. */
  readonly fault: (expected: string) => Refusal;
  /** Runs a part that may hold itself again; refuses the one that lies too deep. */
  readonly nested: <T>(part: () => T) => T;
};

/** The token is this bare word, in any case, or this punctuation: never a quoted text. */
export const isToken = (token: Token, text: string): boolean =>
  (token.kind === 'bare' || token.kind === 'punctuation') && token.text.toLowerCase() === text;

/** Throws ODataError where the text cannot be cut into tokens. */
export const tokenReader = (text: string): TokenReader => {
  const tokens = tokenize(text);
  const end: Token = { kind: 'end', text: '', at: text.length };
  let next = 0;
  let depth = 0;
  const peek = (ahead = 0): Token => tokens[next + ahead] ?? end;
  const take = (): Token => {
    const token = peek();
    next++;
    return token;
  };
  const fault = (expected: string): Refusal => {
    const { at, kind, text: got } = peek();
    return faultAt('$filter', at, `expected ${expected}, got ${kind === 'end' ? 'the end' : shown(got)}.`);
  };
  const takeIf = (wanted: string): boolean => {
    const fits = isToken(peek(), wanted);
    if (fits) next++;
    return fits;
  };
  const expect = (punctuation: string, why: string): void => {
    if (!takeIf(punctuation)) throw fault(`${shown(punctuation)} ${why}`);
  };
  const nested = <T>(part: () => T): T => {
    if (depth >= FILTER_DEPTH) {
      throw faultAt('$filter', peek().at, `expected at most ${FILTER_DEPTH} levels of parentheses and not, got more.`);
    }
    depth++;
    const result = part();
    depth--;
    return result;
  };
  return { peek, take, takeIf, expect, fault, nested };
};
