import { afterEach, beforeEach, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cutNotice, partsAroundCut } from '@longarm/contract/cut-output';
import { array, assert, asyncProperty, integer } from 'fast-check';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { capture } from './capture.ts';
import { removeOutput } from './output-files.ts';
import { sealLeftOver } from './seal-output.ts';
import { spoolWriter } from './spool-writer.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

const path = () => join(folder.path, 'stdout');
const stored = () => readFileSync(path()).toString('latin1');

/** Bytes that differ from their neighbours, in pieces of the given sizes. */
const piecesOf = (sizes: readonly number[]) => {
  let at = 0;
  return sizes.map((size) => Uint8Array.from({ length: size }, () => (at++ * 7) % 251));
};
const textOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString('latin1');
const streamOf = (pieces: readonly Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
const sizes = array(integer({ min: 1, max: 40 }), { maxLength: 12 });
const bound = integer({ min: 1, max: 90 });

/** What is to be kept of an output, said anew. */
const expected = (output: string, maxBytes: number): string => {
  if (output.length <= maxBytes) return output;
  const head = Math.ceil(maxBytes / 2);
  const tail = output.slice(output.length - (maxBytes - head));
  return output.slice(0, head) + cutNotice(output.length - maxBytes) + tail;
};

test('an output within its bound is kept whole, a longer one by head and tail, with its hash and what is missing', () =>
  assert(
    asyncProperty(sizes, bound, async (lengths, maxBytes) => {
      const pieces = piecesOf(lengths);
      const output = textOf(pieces);
      const end = await capture(streamOf(pieces), { path: path(), maxBytes }).done;
      expect(stored()).toBe(expected(output, maxBytes));
      expect(end.sha256 as string).toBe(new Bun.CryptoHasher('sha256').update(readFileSync(path())).digest('hex'));
      expect(end.sizeBytes).toBe(stored().length);
      expect(end.cutBytes).toBe(Math.max(0, output.length - maxBytes));
      expect(end.fault).toBeNull();
      const parts = partsAroundCut(end);
      if (parts === null) return;
      for (const { start, end: stop, storedAt } of [parts.head, parts.tail])
        expect(stored().slice(storedAt, storedAt + stop - start)).toBe(output.slice(start, stop));
    }),
    { numRuns: 60 },
  ));

test('what a killed agent left is sealed the same, and sealing it twice changes nothing', () =>
  assert(
    asyncProperty(sizes, bound, async (lengths, maxBytes) => {
      removeOutput(path());
      const pieces = piecesOf(lengths);
      const writer = await spoolWriter({ path: path(), maxBytes });
      for (const piece of pieces) await writer.write(piece);
      await writer.close();
      // a bound of one has no tail, and nothing tells how much went by
      const known = maxBytes === 1 ? textOf(pieces).slice(0, 1) : textOf(pieces);
      for (let time = 0; time < 2; time++) {
        const { cutBytes, sizeBytes } = await sealLeftOver({ path: path(), maxBytes });
        expect(stored()).toBe(expected(known, maxBytes));
        expect(sizeBytes).toBe(stored().length);
        expect(cutBytes).toBe(Math.max(0, known.length - maxBytes));
      }
    }),
    { numRuns: 40 },
  ));

test('a short output comes along whole, a longer one does not', async () => {
  for (const [length, isShort] of [
    [0, true],
    [4_096, true],
    [4_097, false],
  ] as const) {
    const pieces = piecesOf([Math.floor(length / 2), Math.ceil(length / 2)]);
    const { content, sizeBytes } = await capture(streamOf(pieces), { path: path(), maxBytes: 1_000_000 }).done;
    expect(content === null ? null : Buffer.from(content).toString('latin1')).toBe(isShort ? textOf(pieces) : null);
    expect(sizeBytes).toBe(length);
  }
});

test('a short output that is cut does not come along', async () => {
  const { content, cutBytes } = await capture(streamOf(piecesOf([100])), { path: path(), maxBytes: 90 }).done;
  expect(content).toBeNull();
  expect(cutBytes).toBe(10);
});

test('an endless output takes no more than its bound and a half, and all of it goes at the end', async () => {
  const piece = new Uint8Array(1_000);
  const pieces = Array.from({ length: 100 }, () => piece);
  const end = await capture(streamOf(pieces), { path: path(), maxBytes: 10_000 }).done;
  expect(readdirSync(folder.path).filter((name) => name !== 'stdout')).toHaveLength(2);
  expect(end.cutBytes).toBe(90_000);
  removeOutput(path());
  expect(readdirSync(folder.path)).toEqual([]);
});
