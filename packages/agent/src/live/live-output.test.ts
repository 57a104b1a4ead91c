import { afterEach, beforeEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { OUTPUT_FRAME_BYTES, WATCHES_PER_DEVICE } from '@longarm/contract/limits';
import type { Output } from '@longarm/contract/wire/live-output';
import { realAfter } from '../../test/command-world.ts';
import { newActionId } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { type SpoolWriter, spoolWriter } from '../process/spool-writer.ts';
import { type LiveOutput, liveOutput } from './live-output.ts';

const actionId = newActionId();
let folder: ReturnType<typeof temporaryFolder>;
let live: LiveOutput;
let sent: Output[];
let writer: SpoolWriter;

const spool = (stream: string) => ({ path: join(folder.path, stream), maxBytes: 100_000 });
beforeEach(async () => {
  folder = temporaryFolder();
  sent = [];
  live = liveOutput({ spoolOf: ({ stream }) => spool(stream), after: realAfter });
  live.connected((frame) => sent.push(frame));
  writer = await spoolWriter(spool('stdout'));
});
afterEach(async () => {
  live.disconnected();
  await writer.close();
  folder[Symbol.dispose]();
});

const watch = (watchId: string, frames: number, stdout = 0) =>
  live.hear({ type: 'watch', watchId, actionId, index: 0, from: { stdout, stderr: 0 }, frames });
const textOf = (frames: readonly Output[]) => frames.map(({ data }) => Buffer.from(data, 'base64').toString()).join('');
const text = (length: number) => Array.from({ length }, (_, at) => String.fromCharCode(97 + (at % 26))).join('');

test('what was written before comes first, then what is written meanwhile', async () => {
  await writer.write(Buffer.from('before '));
  watch('w', 16);
  await until('the first', () => sent.length === 1);
  await writer.write(Buffer.from('after'));
  await until('the second', () => sent.length === 2);
  expect(sent.map(({ offset }) => offset)).toEqual([0, 7]);
  expect(textOf(sent)).toBe('before after');
});

test('no more is sent than is allowed, and all of it in the end, over the border of head and tail', async () => {
  const whole = text(90_000);
  await writer.write(Buffer.from(whole));
  watch('w', 2);
  await until('two', () => sent.length === 2);
  watch('other', 1);
  await until('three', () => sent.length === 3);
  expect(sent.filter(({ watchId }) => watchId === 'w')).toHaveLength(2);
  for (let time = 0; time < 6; time++) live.hear({ type: 'watch-more', watchId: 'w', frames: 1 });
  const mine = () => sent.filter(({ watchId }) => watchId === 'w');
  await until('all', () => textOf(mine()).length === whole.length);
  expect(textOf(mine())).toBe(whole);
});

test('one who comes too late for a part is told by a jump', async () => {
  await writer.write(Buffer.from(text(260_000)));
  watch('w', 16, 50_000 - 10);
  await until('what is kept', () => sent.length >= 2);
  // head to 50000, then segments of 50000, of which the last two are there
  expect(sent[0]).toMatchObject({ offset: 49_990 });
  expect(sent[1]).toMatchObject({ offset: 200_000 });
  expect(Buffer.from(sent[1]?.data ?? '', 'base64')).toHaveLength(OUTPUT_FRAME_BYTES);
});

test('after the end of a watch, or of the connection, nothing is sent; more watches than a device serves are not', async () => {
  for (let number = 0; number < WATCHES_PER_DEVICE; number++) watch(`w${number}`, 16);
  watch('too-many', 16);
  live.hear({ type: 'unwatch', watchId: 'w0' });
  await writer.write(Buffer.from('x'));
  await until('all but one', () => sent.length === WATCHES_PER_DEVICE - 1);
  expect(sent.map(({ watchId }) => watchId)).not.toContain('too-many');
  expect(sent.map(({ watchId }) => watchId)).not.toContain('w0');
  live.disconnected();
  live.connected((frame) => sent.push(frame));
  await writer.write(Buffer.from('y'));
  watch('new', 16);
  await until('the new one', () => sent.some(({ watchId }) => watchId === 'new'));
  expect(sent).toHaveLength(WATCHES_PER_DEVICE);
});
