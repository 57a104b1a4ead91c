/** Texts near those that are understood: a sample, and a few changes to it. Nothing here is coverage-guided. */
import fc from 'fast-check';

/** What parsers have stumbled over: ends, quotes, numbers at their edges, names that objects have, controls, encodings. */
const TOKENS: readonly string[] = [
  ...[
    '',
    ' ',
    '\0',
    '\n',
    '\r\n',
    '\t',
    '"',
    "'",
    '\\',
    '/',
    '..',
    '../',
    '%00',
    '%2e%2e',
    '%',
    '%zz',
    '+',
    '&',
    '=',
    ';',
    ',',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '<',
    '>',
    ':',
    '*',
    '?',
    '#',
    '$',
    '-',
    '0',
    '-0',
    '-1',
    '1e999',
    '9007199254740993',
  ],
  ...[
    'NaN',
    'null',
    'true',
    'undefined',
    '__proto__',
    'constructor',
    'toString',
    'length',
    'é',
    '資',
    '😀',
    '\ud800',
    '\u202e',
  ],
  ...[
    '\ufeff',
    '99999999999999999999',
    '2147483648',
    '0x10',
    "' or 1=1 --",
    ' and ',
    ' or ',
    ' not ',
    ' eq ',
    'in (',
    'any(',
  ],
];

type Change = {
  readonly kind: 'cut' | 'insert' | 'repeat' | 'replace' | 'end';
  readonly at: number;
  readonly size: number;
  readonly token: string;
};

const change = fc.record({
  kind: fc.constantFrom<Change['kind']>('cut', 'insert', 'repeat', 'replace', 'end'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  size: fc.nat(24),
  token: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...TOKENS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    { weight: 1, arbitrary: fc.constantFrom(...TOKENS).map((token) => token.repeat(500)) },
  ),
});

const changed = (text: string, { kind, at, size, token }: Change): string => {
  const place = Math.floor(at * text.length);
  const [before, after] = [text.slice(0, place), text.slice(place)];
  switch (kind) {
    case 'cut':
      return before + after.slice(size);
    case 'insert':
      return before + token + after;
    case 'repeat':
      return before + after.slice(0, size).repeat(3) + after;
    case 'replace':
      return before + token + after.slice(size);
    case 'end':
      return before;
  }
};

/** One of the samples after up to six changes. */
export const near = (samples: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { maxLength: 6 }))
    .map(([sample, changes]) => changes.reduce(changed, sample));
