import { expect, test } from 'bun:test';
import { ActionId } from '@longarm/contract/ids';
import { transferProgress } from './transfer-progress.ts';

const actionId = ActionId.parse('5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11');

test('the newest is known, a hint is given now and then, and what ended is forgotten', () => {
  let now = 1_000;
  let hints = 0;
  const progress = transferProgress({ hints: { actionChanged: () => hints++ }, now: () => now });
  for (let bytes = 1; bytes <= 50; bytes++) {
    progress.note({ actionId, index: 1 }, { bytes, totalBytes: 100 });
    now += 10;
  }
  expect(progress.of(actionId)).toEqual(new Map([[1, { bytes: 50, totalBytes: 100 }]]));
  expect(hints).toBe(2);
  progress.forget(actionId);
  expect(progress.of(actionId).size).toBe(0);
});

test('actions whose end nobody told do not pile up', () => {
  const progress = transferProgress({ hints: { actionChanged: () => undefined }, now: () => 0 });
  progress.note({ actionId, index: 0 }, { bytes: 1, totalBytes: 2 });
  for (let count = 0; count < 10_000; count++) {
    progress.note({ actionId: ActionId.parse(crypto.randomUUID()), index: 0 }, { bytes: 1, totalBytes: 2 });
  }
  expect(progress.of(actionId).size).toBe(0);
});
