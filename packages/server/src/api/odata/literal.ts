/** Reads the value that a property is compared with, by the property's kind. */
import type { FieldKind } from '@longarm/contract/odata/fields';
import type { Literal } from '@longarm/contract/odata/query';
import { parseMoment } from './moment.ts';
import { faultAt, shown } from './odata-fault.ts';
import type { Token } from './tokenize.ts';

const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HEX = /^[0-9a-f]{40}$/i;

/** A bare word that is a value whatever it stands beside. */
export const isBareLiteral = (text: string): boolean =>
  /^(?:null|true|false)$/i.test(text) ||
  NUMBER.test(text) ||
  parseMoment(text) !== null ||
  GUID.test(text) ||
  HEX.test(text);

const readNumber = (text: string): number | null => {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  // past this a number is no longer the one that was written, and the databases disagree about it
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : null;
};

const readBoolean = (text: string): boolean | null =>
  /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : null;

type Reader = { readonly expected: string; readonly read: (token: Token) => Exclude<Literal, null> | null };

const quotedOnly: Reader = {
  expected: 'a text in single quotes',
  read: (token) => (token.kind === 'text' ? token.text : null),
};
const id = (expected: string): Reader => ({ expected, read: (token) => token.text.toLowerCase() });

/** Quotes are optional around everything that is not text. */
const READERS: Readonly<Record<FieldKind, Reader>> = {
  text: quotedOnly,
  enum: quotedOnly,
  textList: quotedOnly,
  guid: id('a GUID'),
  hex: id('an id'),
  moment: { expected: 'a moment such as 2026-01-31T15:36:52Z', read: (token) => parseMoment(token.text) },
  number: { expected: 'a number', read: (token) => readNumber(token.text) },
  boolean: { expected: 'true or false', read: (token) => readBoolean(token.text) },
};

/** The token's value for a property of this kind. Throws ODataError where it is none. */
export const readLiteral = (token: Token, kind: FieldKind): Literal => {
  const { expected, read } = READERS[kind];
  const isValue = token.kind === 'text' || token.kind === 'bare';
  if (token.kind === 'bare' && /^null$/i.test(token.text)) return null;
  const value = isValue ? read(token) : null;
  if (value === null) {
    throw faultAt(
      '$filter',
      token.at,
      `expected ${expected}, got ${token.kind === 'end' ? 'the end' : shown(token.text)}.`,
    );
  }
  return value;
};
