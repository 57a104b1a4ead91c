import { expect, test } from 'bun:test';
import { formatAge, formatDuration, formatMoment, formatSize } from './quantities.ts';

test('sizes', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [102_400, '100 KiB'],
    [1_048_575, '1.0 MiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
  ];
  for (const [bytes, text] of cases) expect(formatSize(bytes)).toBe(text);
});

test('durations and ages', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0.0 s'],
    [9_949, '9.9 s'],
    [9_960, '9 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [172_800_000, '2 d'],
  ];
  for (const [ms, text] of cases) expect(formatDuration(ms)).toBe(text);
  const nowMs = Date.UTC(2026, 1, 4, 12, 0, 5);
  expect(formatAge('2026-02-04T12:00:00.0000000Z', nowMs)).toBe('5 s ago');
  expect(formatAge('2026-02-04T12:00:04.5000000Z', nowMs)).toBe('now');
  expect(formatAge('2026-02-04T13:00:00.0000000Z', nowMs)).toBe('now');
  expect(formatAge('2026-02-03T11:00:00.0000000Z', nowMs)).toBe('1 d ago');
  expect(formatMoment('2026-02-04T12:00:00.1230000Z')).toBe('2026-02-04T12:00:00.123Z');
});
