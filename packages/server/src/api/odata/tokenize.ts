/** Cuts a `$filter` into tokens. Follows the lexical part of OData 4.01 URL Conventions, and what clients send. */
import { MOMENT_FORM } from './moment.ts';
import { faultAt } from './odata-fault.ts';

/** `at` is the index of the token's first character. A `text` token carries its unescaped content. */
export type Token = {
  readonly kind: 'text' | 'bare' | 'punctuation' | 'end';
  readonly text: string;
  readonly at: number;
};

const SPACE = /\s+/y;
const PUNCTUATION = '(),:/';
const QUOTED = /'((?:[^']|'')*)'/y;
// a moment holds colons, which elsewhere are punctuation, so it is tried before other bare words
const BARE_MOMENT = new RegExp(`(?:${MOMENT_FORM.source})(?![A-Za-z0-9_.:+-])`, 'iy');
const BARE_WORD = /[A-Za-z0-9_.+-]+/y;

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

const readQuoted = (text: string, at: number): { readonly token: Token; readonly end: number } => {
  const match = matchAt(QUOTED, text, at);
  if (match === null)
    throw faultAt('$filter', at, "expected the text to end with a single quote; write a quote inside it as ''.");
  const content = (match[1] ?? '').replaceAll("''", "'");
  if (content.includes('\u0000')) throw faultAt('$filter', at, 'expected a text without NUL characters.');
  return { token: { kind: 'text', text: content, at }, end: at + match[0].length };
};

const readToken = (text: string, at: number): { readonly token: Token; readonly end: number } => {
  const character = text[at] ?? '';
  if (character === "'") return readQuoted(text, at);
  if (PUNCTUATION.includes(character)) {
    return { token: { kind: 'punctuation', text: character, at }, end: at + 1 };
  }
  const word = matchAt(BARE_MOMENT, text, at) ?? matchAt(BARE_WORD, text, at);
  if (word === null) {
    throw faultAt(
      '$filter',
      at,
      `expected a property, a value, an operator or a parenthesis, got ${JSON.stringify(character)}.`,
    );
  }
  return { token: { kind: 'bare', text: word[0], at }, end: at + word[0].length };
};

/** All tokens, the last of them `end`. Throws ODataError for what is no token. */
export const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(SPACE, text, at)?.[0].length ?? 0;
    if (at >= text.length) return [...tokens, { kind: 'end', text: '', at: text.length }];
    const { token, end } = readToken(text, at);
    tokens.push(token);
    at = end;
  }
};
