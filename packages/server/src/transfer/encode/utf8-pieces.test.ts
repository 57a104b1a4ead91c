import { expect, test } from 'bun:test';
import { array, assert, constantFrom, integer, property } from 'fast-check';
import { utf8Pieces } from './utf8-pieces.ts';

/** Characters of each length, and bytes that are none. */
const parts = constantFrom('a', 'é', '€', '😀', '\u{feff}').map((text) => [...new TextEncoder().encode(text)]);
const rubbish = constantFrom<number[][]>([0xff], [0xe2, 0x82], [0x80], [0xf0, 0x9f], [0xc3], [0xf8], [0xe0, 0x80]);
const bytesOf = array(constantFrom(true, true, true, false).chain((isText) => (isText ? parts : rubbish)));
const cuts = array(integer({ min: 1, max: 5 }), { minLength: 1 });

test('pieces say what the whole says, wherever they are cut, and each place is where its text begins', () =>
  assert(
    property(bytesOf, cuts, (lists, lengths) => {
      const bytes = Uint8Array.from(lists.flat());
      const pieces = utf8Pieces(100);
      const texts = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + (lengths[turn % lengths.length] ?? 1);
        texts.push(...pieces.take(100 + at, bytes.subarray(at, end)));
        at = end;
        // one who comes again at this place reads the rest as if it were whole
        const rest = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(pieces.position() - 100));
        const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
        expect(texts.map(({ text }) => text).join('') + rest).toBe(whole);
      }
      texts.push(...pieces.end());
      expect(texts.map(({ text }) => text).join('')).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
      expect(pieces.position()).toBe(100 + bytes.length);
    }),
    { numRuns: 300 },
  ));

test('a jump ends what was begun, and goes on at its own place', () => {
  const pieces = utf8Pieces(0);
  expect(pieces.take(0, Uint8Array.of(0x61, 0xe2))).toEqual([{ offset: 0, text: 'a' }]);
  expect(pieces.position()).toBe(1);
  expect(pieces.take(10, Uint8Array.of(0x62))).toEqual([
    { offset: 1, text: '\u{fffd}' },
    { offset: 10, text: 'b' },
  ]);
  expect(pieces.next()).toBe(11);
});
