import { beforeEach, expect, test } from 'bun:test';
import { ActionId, MachineId } from '@longarm/contract/ids';
import { OUTPUT_FRAMES_AHEAD } from '@longarm/contract/limits';
import type { Output } from '@longarm/contract/wire/live-output';
import type { WatchFrame } from '@longarm/contract/wire/to-agent';
import type { OutputPiece } from '../actions/output-ports.ts';
import { type LocalLiveOutput, liveOutput } from './live-output.ts';

const machineId = MachineId.parse('a'.repeat(40));
const actionId = ActionId.parse('5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11');
const command = { machineId, actionId, index: 0 };
const START = { stdout: 0, stderr: 0 };

let told: WatchFrame[];
let bus: LocalLiveOutput;
let pieces: OutputPiece[];
beforeEach(() => {
  told = [];
  pieces = [];
  let number = 0;
  const link = { tellWatch: (_: MachineId, frame: WatchFrame) => told.push(frame) > 0 };
  bus = liveOutput({ link, newId: () => `w${++number}` });
});

const frame = (offset: number, text: string, changes: Partial<Output> = {}): Output => ({
  type: 'output',
  watchId: 'w1',
  actionId,
  index: 0,
  stream: 'stdout',
  offset,
  data: Buffer.from(text).toString('base64'),
  ...changes,
});
const deliver = (...frames: readonly Output[]) => {
  for (const one of frames) bus.deliver(machineId, one);
};
const watch = (from = START) => bus.watch(command, from, (piece) => pieces.push(piece));
const seen = () => pieces.map(({ stream, offset, bytes }) => [stream, offset, new TextDecoder().decode(bytes)]);

test('each stream comes in its order; what came before is not given again, and a hole stays a hole', () => {
  watch({ stdout: 2, stderr: 0 });
  deliver(frame(0, 'abcd'), frame(1, 'bc'), frame(4, 'ef'), frame(0, 'x', { stream: 'stderr' }), frame(9, 'z'));
  expect(seen()).toEqual([
    ['stdout', 2, 'cd'],
    ['stdout', 4, 'ef'],
    ['stderr', 0, 'x'],
    ['stdout', 9, 'z'],
  ]);
});

test('a watcher who takes nothing is given no more than was allowed, whatever the device sends', () => {
  watch();
  for (let at = 0; at < 100; at++) deliver(frame(at, 'x'));
  expect(pieces).toHaveLength(OUTPUT_FRAMES_AHEAD);
  expect(told).toHaveLength(1);
});

test('what is taken may come again; a device that is back goes on behind what came', () => {
  const watching = watch();
  for (let at = 0; at < OUTPUT_FRAMES_AHEAD; at++) deliver(frame(at, 'x'));
  for (let time = 0; time < 8; time++) watching.taken();
  expect(told.slice(1)).toEqual([{ type: 'watch-more', watchId: 'w1', frames: 8 }]);
  watching.taken();
  bus.connected(machineId);
  expect(told[2]).toEqual({
    type: 'watch',
    watchId: 'w1',
    actionId,
    index: 0,
    from: { stdout: OUTPUT_FRAMES_AHEAD, stderr: 0 },
    frames: 9,
  });
});

test('what nobody asked for reaches nobody, and the device is told to stop', () => {
  const watching = watch();
  const other = MachineId.parse('b'.repeat(40));
  bus.deliver(other, frame(0, 'forged'));
  deliver(frame(0, 'x', { index: 1 }), frame(0, 'x', { watchId: 'unheard-of' }));
  watching.stop();
  deliver(frame(0, 'late'));
  expect(pieces).toEqual([]);
  expect(told.slice(1).map(({ type }) => type)).toEqual(Array.from({ length: 5 }, () => 'unwatch'));
});
