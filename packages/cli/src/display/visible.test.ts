import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { visible, visibleLines, visiblePieces } from './visible.ts';

describe('what a terminal would obey is shown', () => {
  const cases: readonly (readonly [name: string, text: string, shown: string])[] = [
    ['ESC and its sequence', '\u001b[2Jx', '\\x1b[2Jx'],
    ['carriage return', 'safe\rroot', 'safe\\x0droot'],
    ['backspace and bell', 'a\b\u0007', 'a\\x08\\x07'],
    ['NUL and DEL', '\u0000\u007f', '\\x00\\x7f'],
    ['C1, here CSI and OSC', '\u009b31m\u009d', '\\x9b31m\\x9d'],
    ['right-to-left override', 'exe.\u202egnp', 'exe.\\u{202e}gnp'],
    ['isolates and marks', '\u2066a\u2069\u200f\u061c', '\\u{2066}a\\u{2069}\\u{200f}\\u{61c}'],
    ['line and paragraph separator', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['zero width and soft hyphen', 'a\u200bb\ufeff\u00ad', 'a\\u{200b}b\\u{feff}\\xad'],
    ['tags', '\u{e0041}', '\\u{e0041}'],
    ['half a surrogate pair', 'a\ud800b', 'a\\u{d800}b'],
  ];
  for (const [name, text, shown] of cases) test(name, () => expect(visible(text)).toBe(shown));
});

test('ordinary text of any script stays as it is', () => {
  const text = 'Grüße, 日本語, العربية, naïve e\u0301, 👩\u200d🔬, C:\\windows\\x1b';
  expect(visible(text)).toBe(text);
  expect(visibleLines(text)).toBe(text);
});

test('one line has no line breaks, many lines keep them', () => {
  expect(visible('a\nb\tc')).toBe('a\\x0ab\\x09c');
  expect(visibleLines('a\r\nb\tc\rd\n')).toBe('a\nb\tc\\x0dd\n');
});

test('no text at all gets a character through that moves, hides or colours', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visible(text)).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
      expect(visibleLines(text).replace(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('pieces are shown as the whole would be, wherever they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '\r', '\n', '\r\n', '\u001b', '\t')), (parts) => {
      const pieces = visiblePieces();
      const shown = parts.map((part) => pieces.take(part)).join('') + pieces.end();
      expect(shown).toBe(visibleLines(parts.join('')));
    }),
  );
});
