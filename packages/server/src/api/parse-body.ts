/** A JSON body, whatever its Content-Type says: names in any case, then the contract's schema, then a sentence. */
import { type ErrorCode, Refusal } from '@longarm/contract/errors';
import { JSON_BODY_BYTES } from '@longarm/contract/limits';
import type { z } from 'zod';
import { readBody } from '../http/read-body.ts';

/** Documented spellings of names, by lower case. */
type Names = readonly string[];

/** Lists and objects in one another: far more than any body here has, and no danger to the stack. */
const BODY_DEPTH = 64;

/** The same value with these names in their documented spelling, at every depth. */
const foldNames = (value: unknown, names: Names, depth = BODY_DEPTH): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0)
    throw new Refusal('InvalidRequestBody', `Expected a body nested at most ${BODY_DEPTH} deep, got a deeper one.`);
  if (Array.isArray(value)) return value.map((item) => foldNames(item, names, depth - 1));
  // not by assignment, which would take a property called __proto__ for the prototype
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      names.find((name) => name.toLowerCase() === key.toLowerCase()) ?? key,
      foldNames(inner, names, depth - 1),
    ]),
  );
};

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((part, place) => (typeof part === 'number' ? `[${part}]` : `${place === 0 ? '' : '.'}${String(part)}`))
    .join('');

const issueCode = (issue: z.core.$ZodIssue): ErrorCode => {
  if (issue.code === 'too_big' && issue.origin === 'array') return 'MaximumBatchSizeExceeded';
  return issue.code === 'invalid_type' && issue.input === undefined ? 'MissingRequiredParameter' : 'InvalidInput';
};

const kindOf = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
};

/** What was expected and what was got, in our words where the schema library's would not say both. */
const sentenceOf = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}, got ${kindOf(issue.input)}`;
  if (issue.code === 'too_small')
    return `expected at least ${issue.minimum} ${issue.origin === 'array' ? 'item' : 'character'}(s), got fewer`;
  if (issue.code === 'too_big')
    return `expected at most ${issue.maximum} ${issue.origin === 'array' ? 'items' : 'characters'}, got more`;
  return issue.message;
};

const refusalOf = (error: z.ZodError): Refusal => {
  const [issue] = error.issues;
  if (issue === undefined) return new Refusal('InvalidRequestBody', 'The body was not understood.');
  const where = issue.path.length === 0 ? 'The body' : pathText(issue.path);
  return new Refusal(issueCode(issue), `${where}: ${sentenceOf(issue)}.`);
};

const parseJson = (text: string): unknown => {
  try {
    // some clients of Windows begin with a byte order mark
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (fault) {
    throw new Refusal(
      'InvalidRequestBody',
      `Expected a JSON body, got ${text === '' ? 'none' : `something else (${fault instanceof Error ? fault.message : 'not JSON'})`}.`,
    );
  }
};

export type BodyForm<Schema extends z.ZodType> = {
  readonly schema: Schema;
  readonly names: Names;
  /** What an empty body stands for; without it an empty body is refused. */
  readonly whenEmpty?: unknown;
};

export type ParsedBody<Schema extends z.ZodType> = { readonly value: z.infer<Schema>; readonly text: string };

export const parseBody = async <Schema extends z.ZodType>(
  request: Request,
  form: BodyForm<Schema>,
): Promise<ParsedBody<Schema>> => {
  const text = await readBody(request, JSON_BODY_BYTES);
  const json = text.trim() === '' && form.whenEmpty !== undefined ? form.whenEmpty : parseJson(text);
  const parsed = form.schema.safeParse(foldNames(json, form.names), { reportInput: true });
  if (!parsed.success) throw refusalOf(parsed.error);
  return { value: parsed.data, text };
};
