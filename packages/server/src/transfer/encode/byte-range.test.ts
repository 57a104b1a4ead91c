import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { answerRange, type RangeRequest } from './byte-range.ts';

const ETAG = '"abc"';
const ask = (range: string | null, more: Partial<RangeRequest> = {}): RangeRequest => ({
  range,
  ifRange: null,
  etag: ETAG,
  ...more,
});

test.each([
  ['bytes=0-9', 0, 10, 'bytes 0-9/100'],
  ['bytes=0-0', 0, 1, 'bytes 0-0/100'],
  ['bytes=99-', 99, 100, 'bytes 99-99/100'],
  ['bytes=10-', 10, 100, 'bytes 10-99/100'],
  ['bytes=90-1000', 90, 100, 'bytes 90-99/100'],
  ['bytes=-1', 99, 100, 'bytes 99-99/100'],
  ['bytes=-100', 0, 100, 'bytes 0-99/100'],
  ['bytes=-101', 0, 100, 'bytes 0-99/100'],
  ['BYTES= 5-6 ', 5, 7, 'bytes 5-6/100'],
  [`bytes=0-${'9'.repeat(400)}`, 0, 100, 'bytes 0-99/100'],
])('of 100 bytes %p is a part', (range, start, end, contentRange) => {
  expect(answerRange(ask(range), 100)).toEqual({ kind: 'part', range: { start, end }, contentRange });
});

test.each([
  [null],
  [''],
  ['bytes=-'],
  ['bytes='],
  ['bytes=5-4'],
  ['bytes=0-1,5-6'],
  ['bytes=a-b'],
  ['bytes=+1-2'],
  ['lines=0-1'],
  ['xbytes=0-1'],
  ['0-1'],
])('%p is ignored', (range) => {
  expect(answerRange(ask(range), 100)).toEqual({ kind: 'whole' });
});

test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', `bytes=${'9'.repeat(400)}-`])(
  'of 100 bytes %p is unsatisfiable',
  (range) => {
    expect(answerRange(ask(range), 100)).toEqual({ kind: 'unsatisfiable', contentRange: 'bytes */100' });
  },
);

test('of nothing: a first byte is unsatisfiable, the last bytes are the whole', () => {
  expect(answerRange(ask('bytes=0-'), 0)).toEqual({ kind: 'unsatisfiable', contentRange: 'bytes */0' });
  expect(answerRange(ask('bytes=-5'), 0)).toEqual({ kind: 'whole' });
});

test('If-Range: the strong tag of now keeps the range; another, a weak one or a date does not', () => {
  expect(answerRange(ask('bytes=1-2', { ifRange: ETAG }), 100).kind).toBe('part');
  for (const ifRange of ['"other"', `W/${ETAG}`, 'abc', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
    expect(answerRange(ask('bytes=1-2', { ifRange }), 100).kind).toBe('whole');
  }
  expect(answerRange(ask('bytes=100-', { ifRange: '"other"' }), 100).kind).toBe('whole');
});

test('a part is never empty and never past the end', () => {
  const bound = fc.option(fc.nat(30), { nil: '' });
  fc.assert(
    fc.property(bound, bound, fc.nat(20), (first, last, totalBytes) => {
      const answer = answerRange(ask(`bytes=${first}-${last}`), totalBytes);
      if (answer.kind !== 'part') return;
      expect(answer.range.start).toBeGreaterThanOrEqual(0);
      expect(answer.range.start).toBeLessThan(answer.range.end);
      expect(answer.range.end).toBeLessThanOrEqual(totalBytes);
    }),
  );
});
