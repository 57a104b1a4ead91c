import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatInstant, formatInstantOrNull, InstantText } from './instant.ts';

test('seven fraction digits, UTC', () => {
  expect(formatInstant(Date.UTC(2021, 1, 4, 15, 36, 52, 778))).toBe('2021-02-04T15:36:52.7780000Z');
  expect(formatInstant(0)).toBe('1970-01-01T00:00:00.0000000Z');
  expect(formatInstantOrNull(null)).toBeNull();
  expect(formatInstantOrNull(1)).toBe('1970-01-01T00:00:00.0010000Z');
});

test('what is written has the wire form, keeps its order and is read back', () => {
  const moment = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
  fc.assert(
    fc.property(moment, moment, (a, b) => {
      expect(InstantText.safeParse(formatInstant(a)).success).toBe(true);
      expect(Date.parse(formatInstant(a))).toBe(a);
      expect(formatInstant(a) < formatInstant(b)).toBe(a < b);
    }),
  );
});

test('other forms are not the wire form', () => {
  for (const text of [
    '2021-02-04T15:36:52.778Z',
    '2021-02-04T15:36:52.7780000',
    '2021-02-04T15:36:52.7780000+00:00',
    '',
  ]) {
    expect(InstantText.safeParse(text).success).toBe(false);
  }
});
