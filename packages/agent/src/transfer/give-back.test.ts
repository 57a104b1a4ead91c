import { expect, test } from 'bun:test';
import { giveBack } from './give-back.ts';

test('a chunk alone in its buffer is given back', () => {
  const chunk = new Uint8Array([1, 2, 3]);
  giveBack(chunk);
  expect(chunk).toHaveLength(0);
});

test('what lies with others in one buffer is left alone', () => {
  const all = new Uint8Array([1, 2, 3]);
  giveBack(all.subarray(0, 2));
  expect(all).toEqual(new Uint8Array([1, 2, 3]));
});
