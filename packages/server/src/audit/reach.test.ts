import { expect, test } from 'bun:test';
import { bothReach } from './reach.ts';

test('what both allow is never more than one of them allows', () => {
  expect(bothReach('all', 'all')).toBe('all');
  expect(bothReach('all', ['a'])).toEqual(['a']);
  expect(bothReach(['a', 'b'], 'all')).toEqual(['a', 'b']);
  expect(bothReach(['a', 'B '], ['b', 'c'])).toEqual(['B ']);
  expect(bothReach(['a'], ['b'])).toEqual([]);
  expect(bothReach([], 'all')).toEqual([]);
});
