import { afterEach, beforeEach, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { pieceSource } from './piece-source.ts';

const CONTENT = crypto.getRandomValues(new Uint8Array(65_536)).toHex();
const SIZE = 16 * CONTENT.length;

let folder: ReturnType<typeof temporaryFolder>;
let file: FileHandle;

beforeEach(async () => {
  folder = temporaryFolder();
  const path = join(folder.path, 'source');
  writeFileSync(path, CONTENT.repeat(16));
  file = await open(path, 'r');
});
afterEach(async () => {
  await file.close();
  folder[Symbol.dispose]();
});

test('one chunk is read ahead of what is taken, and no more', async () => {
  let reads = 0;
  const { body: piece } = await pieceSource(file, SIZE).readPiece(0, () => reads++);
  await until('the first is read', () => reads === 1);
  const reader = piece.getReader();
  for (let taken = 1; taken <= 3; taken++) {
    expect((await reader.read()).done).toBe(false);
    await until('the next is read', () => reads === taken + 1);
  }
  // whatever else is to happen has had its turn
  await file.stat();
  expect(reads).toBe(4);
  await reader.cancel();
});

test('pieces and their chunks grow with a good network, and shrink again', async () => {
  const source = pieceSource(file, SIZE);
  const shape = async () => {
    const lengths: number[] = [];
    for await (const chunk of (await source.readPiece(0, () => {})).body) lengths.push(chunk.length);
    return { chunk: lengths[0], piece: lengths.reduce((sum, length) => sum + length, 0) };
  };
  expect(await shape()).toEqual({ chunk: 65_536, piece: 1_048_576 });
  source.growPieces();
  expect(await shape()).toEqual({ chunk: 131_072, piece: 2_097_152 });
  source.shrinkPieces();
  source.shrinkPieces();
  expect(await shape()).toEqual({ chunk: 65_536, piece: 131_072 });
});

test('a piece that is given up while it is read is no fault of the file, and the hash is of all the same', async () => {
  const source = pieceSource(file, SIZE);
  const { body } = await source.readPiece(0, () => {});
  const reader = body.getReader();
  await reader.read();
  await reader.cancel();
  expect(await source.hashOfAll()).toBe(sha256Of(CONTENT.repeat(16)));
  expect(source.fault()).toBeNull();
});
