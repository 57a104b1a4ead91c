/**
 * Path patterns of a device's policy: `*` is any text within one part, `?` one character of it, `**` any text at all.
 * Everything else is itself: no classes, no braces, no escapes, so that a rule says what it looks like. Matching costs
 * at most the product of both lengths, whatever the pattern.
 */
export type PathForm = {
  /** Windows: `\` separates parts too. */
  readonly isWindows: boolean;
  /** Windows and macOS know one file by its name in any case. */
  readonly ignoresCase: boolean;
};

type Token = { readonly kind: 'text' | 'one' | 'within' | 'across'; readonly text: string };

const TOKENS = /\*\*|\*|\?|[^*?]/gsu;

const tokenOf = (text: string): Token => {
  if (text === '**') return { kind: 'across', text };
  if (text === '*') return { kind: 'within', text };
  return { kind: text === '?' ? 'one' : 'text', text };
};

/** One spelling for one path: forward slashes, composed Unicode, one case where case does not count. */
export const normalizePath = (path: string, form: PathForm): string => {
  const plain = form.isWindows ? path.replace(/^\\\\\?\\(?:UNC\\)?/i, '').replaceAll('\\', '/') : path;
  const composed = plain.normalize('NFC');
  return form.ignoresCase ? composed.toLowerCase() : composed;
};

const fits = (token: Token, character: string): boolean =>
  token.kind === 'across' || (token.kind === 'text' ? token.text === character : character !== '/');

const isStar = ({ kind }: Token): boolean => kind === 'across' || kind === 'within';

/** The positions in the pattern that are reached without taking a further character. */
const withSkips = (tokens: readonly Token[], reached: readonly boolean[]): boolean[] => {
  const all = [...reached];
  for (const [at, token] of tokens.entries()) if (all[at] && isStar(token)) all[at + 1] = true;
  return all;
};

/** Whether a path fits the pattern as a whole. */
export type Glob = { readonly pattern: string; readonly matches: (path: string) => boolean };

export const glob = (pattern: string, form: PathForm): Glob => {
  const tokens = (normalizePath(pattern, form).match(TOKENS) ?? []).map(tokenOf);
  const matches = (path: string): boolean => {
    let reached = withSkips(tokens, [true]);
    for (const character of normalizePath(path, form)) {
      const next: boolean[] = [];
      for (const [at, token] of tokens.entries())
        if (reached[at] && fits(token, character)) next[isStar(token) ? at : at + 1] = true;
      reached = withSkips(tokens, next);
    }
    return reached[tokens.length] === true;
  };
  return { pattern, matches };
};

/** Why the pattern cannot be a rule about paths, or null: a relative one would match nothing, and deny nothing. */
export const pathPatternFault = (pattern: string, { isWindows }: PathForm): string | null => {
  const isAbsolute = isWindows ? /^(?:[a-z]:[\\/]|\*\*)/i.test(pattern) : /^(?:\/|\*\*)/.test(pattern);
  return isAbsolute ? null : `expected an absolute path or one that begins with **, got ${JSON.stringify(pattern)}`;
};
