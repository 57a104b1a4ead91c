/**
 * The grammar of `Args` (semantics 12), one for server and agent: spaces separate; `"` or `'` group; the doubled
 * quote inside a group is that quote; a backslash is a backslash. Nothing is expanded, nothing meets a shell.
 */
import { Refusal } from './errors.ts';

/** Characters that the system's own re-parsing shell of Windows would act on inside an argument. */
const BATCH_FORBIDDEN = /[%"&|<>^!()\r\n]/;
/** Strict mode refuses what the original's portal refuses, with its sentence. */
const STRICT_FORBIDDEN = /[;&|!$()]/;

const isSpace = (character: string): boolean => /\s/.test(character);

/** Reads one quoted group that opens at `start`; returns its text and the index after its closing quote. */
const readGroup = (text: string, start: number): { readonly text: string; readonly end: number } => {
  const quote = text[start];
  let content = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== quote) {
      content += text[at];
    } else if (text[at + 1] === quote) {
      content += quote;
      at++;
    } else {
      return { text: content, end: at + 1 };
    }
  }
  throw new Refusal(
    'InvalidInput',
    `Args: the quote ${quote} at character ${start + 1} is never closed. Close it, or double it inside a quoted group.`,
  );
};

/** Splits `Args` into the arguments that the script gets. Throws InvalidInput for an unbalanced quote. */
export const splitArgs = (text: string): readonly string[] => {
  const args: string[] = [];
  let current: string | null = null;
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    if (isSpace(character)) {
      if (current !== null) args.push(current);
      current = null;
      at++;
    } else if (character === '"' || character === "'") {
      const group = readGroup(text, at);
      current = (current ?? '') + group.text;
      at = group.end;
    } else {
      current = (current ?? '') + character;
      at++;
    }
  }
  if (current !== null) args.push(current);
  return args;
};

export const isBatchScript = (scriptName: string): boolean => /\.(cmd|bat)$/i.test(scriptName);

/** Why these arguments cannot be given to this script, or null. */
export const argsFault = (scriptName: string, args: readonly string[]): string | null => {
  if (args.some((argument) => argument.includes('\u0000')))
    return 'Args: a NUL character cannot be part of an argument.';
  const refused = isBatchScript(scriptName) ? args.find((argument) => BATCH_FORBIDDEN.test(argument)) : undefined;
  return refused === undefined
    ? null
    : `Args: ${JSON.stringify(refused)} holds one of % " & | < > ^ ! ( ) or a line break, which the shell that runs .cmd and .bat files would act on. Pass it in a file, or use another kind of script.`;
};

/** The original's own refusal, for `--strict-args`. */
export const strictArgsFault = (text: string): string | null =>
  STRICT_FORBIDDEN.test(text)
    ? "Please avoid using the following characters as part of scripts' parameters: ; & | ! $ ( )"
    : null;
