/**
 * Which arguments an author allows: a closed set of classes, one per position of the arguments as `splitArgs` gives
 * them, and no regular expressions. Whether arguments fit is decided in one pass over them, and a pattern allows
 * nothing that cannot be read off it.
 */
import { z } from 'zod';
import { splitArgs } from '../args.ts';
import { Refusal } from '../errors.ts';

/** Positions of one line of arguments. */
const POSITIONS = 64;
const Text = z.string().max(1_024);
const Whole = z.int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

const ArgumentPattern = z.discriminatedUnion('kind', [
  /** This very text. */
  z.strictObject({ kind: z.literal('exact'), text: Text }),
  /** One of these very texts. */
  z.strictObject({ kind: z.literal('one-of'), texts: z.array(Text).min(1).max(POSITIONS) }),
  /** A decimal whole number without leading zeros or a plus, both bounds included. */
  z.strictObject({ kind: z.literal('int'), from: Whole, to: Whole }),
  /** 1 to 128 ASCII letters, digits, `.`, `_`, `-`, and no `-` or `.` at its start: neither an option nor a path. */
  z.strictObject({ kind: z.literal('word') }),
  /** Any one argument. */
  z.strictObject({ kind: z.literal('any') }),
]);
export type ArgumentPattern = z.infer<typeof ArgumentPattern>;

/** One whole line of arguments: as many as there are patterns. An empty line: no arguments. */
const ArgumentLine = z.array(ArgumentPattern).max(POSITIONS);
export type ArgumentLine = z.infer<typeof ArgumentLine>;

/** `any`, or one of these lines. */
export const AllowedArguments = z.union([z.literal('any'), z.array(ArgumentLine).min(1).max(32)]);
export type AllowedArguments = z.infer<typeof AllowedArguments>;

const WORD = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const INT = /^(?:0|-?[1-9][0-9]{0,15})$/;

const isInt = (text: string, from: number, to: number): boolean => {
  const value = Number(text);
  return INT.test(text) && Number.isSafeInteger(value) && value >= from && value <= to;
};

const fits = (pattern: ArgumentPattern, argument: string): boolean => {
  switch (pattern.kind) {
    case 'exact':
      return argument === pattern.text;
    case 'one-of':
      return pattern.texts.includes(argument);
    case 'int':
      return isInt(argument, pattern.from, pattern.to);
    case 'word':
      return WORD.test(argument);
    case 'any':
      return true;
  }
};

/** Whether these arguments, split by `splitArgs`, are among those allowed. */
export const areArgumentsAllowed = (allowed: AllowedArguments, args: readonly string[]): boolean => {
  if (allowed === 'any') return true;
  return allowed.some(
    (line) => line.length === args.length && line.every((pattern, at) => fits(pattern, args[at] ?? '')),
  );
};

const patternFault = (text: string): Refusal =>
  new Refusal(
    'InvalidInput',
    `Expected an exact argument or one of <any>, <word>, <int>, <int:FROM..TO>, <one-of:A|B>, got ${JSON.stringify(text)}.`,
  );

const readInt = (text: string): ArgumentPattern => {
  const [, first, last] = /^<int:(-?\d{1,16})\.\.(-?\d{1,16})>$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to) throw patternFault(text);
  return { kind: 'int', from, to };
};

const readPattern = (text: string): ArgumentPattern => {
  // what only looks like a class must not become an exact text by a slip of the pen
  if (!text.startsWith('<') || !text.endsWith('>')) return { kind: 'exact', text };
  if (text === '<any>') return { kind: 'any' };
  if (text === '<word>') return { kind: 'word' };
  if (text === '<int>') return { kind: 'int', from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  if (text.startsWith('<int:')) return readInt(text);
  if (text.startsWith('<one-of:')) return { kind: 'one-of', texts: text.slice('<one-of:'.length, -1).split('|') };
  throw patternFault(text);
};

/** Reads a line as a person writes it: split like `Args`, then each part a class or a text. Throws InvalidInput. */
export const readArgumentLine = (text: string): ArgumentLine => {
  const line = ArgumentLine.safeParse(splitArgs(text).map(readPattern));
  if (!line.success)
    throw new Refusal('InvalidInput', `Expected at most ${POSITIONS} arguments of at most 1,024 characters each.`);
  return line.data;
};

const shown = (pattern: ArgumentPattern): string => {
  switch (pattern.kind) {
    case 'exact':
      return JSON.stringify(pattern.text);
    case 'one-of':
      return `<one-of:${pattern.texts.join('|')}>`;
    case 'int':
      return `<int:${pattern.from}..${pattern.to}>`;
    default:
      return `<${pattern.kind}>`;
  }
};

/** For people: what is allowed, in words. */
export const describeArguments = (allowed: AllowedArguments): string =>
  allowed === 'any'
    ? 'any'
    : allowed.map((line) => (line.length === 0 ? 'none' : line.map(shown).join(' '))).join(', or ');
