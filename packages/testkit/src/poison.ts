/** Text that a terminal would obey, planted wherever a schema lets it pass. */
import type { z } from 'zod';

/** Clears the screen, sets the clipboard (OSC 52), colours by C1, overwrites its line, turns and hides text. */
export const TERMINAL_POISON =
  'x\u001b[2J\u001b]52;c;ZXZpbA==\u0007\u009b31m\u0090\r\b\u007f\u0000\u202egnp.exe\u2066\u200b\u2028\u{e0041}';

/** What of it is looked for in an output: everything but line feeds and tabs. */
export const OBEYED_BY_TERMINALS = /[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}|\p{Zp}/u;

type Path = readonly string[];

/** Where texts are, and where one could be. */
const textPaths = (value: unknown, path: Path = []): readonly Path[] => {
  if (typeof value === 'string' || value === null) return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, below]) => textPaths(below, [...path, key]));
};

const plantAt = (value: unknown, [key, ...rest]: Path): unknown => {
  if (key === undefined) return `${value ?? ''}${TERMINAL_POISON}`;
  if (Array.isArray(value)) return value.map((item, place) => (String(place) === key ? plantAt(item, rest) : item));
  if (typeof value !== 'object' || value === null) throw new Error(`no ${key} to plant at`);
  return Object.fromEntries(
    Object.entries(value).map(([name, below]) => [name, name === key ? plantAt(below, rest) : below]),
  );
};

/** The document with the poison behind every text, and in place of every null, that the schema leaves free. */
export const poison = <Schema extends z.ZodType>(schema: Schema, document: z.infer<Schema>): z.infer<Schema> =>
  textPaths(document).reduce<z.infer<Schema>>((poisoned, path) => {
    const planted = schema.safeParse(plantAt(poisoned, path));
    return planted.success ? planted.data : poisoned;
  }, document);
