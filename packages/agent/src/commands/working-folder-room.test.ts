import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandRun, commandWorld } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { ordered } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import type { LogFields } from '../platform/log.ts';
import type { CommandIo } from './command-run.ts';
import { runCommand } from './index.ts';

const LIMIT_BYTES = 1_000;

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: CommandIo;
let removed: LogFields[];
let downloads: number;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  removed = [];
  downloads = 0;
  io = commandWorld(folder.path, server, {
    workBytes: LIMIT_BYTES,
    log: (_, message, fields = {}) => {
      if (message.includes('to make room')) removed.push(fields);
    },
  });
  server.settings.intercept = () => {
    downloads++;
    return null;
  };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const place = (name: string) => join(io.workingFolder.path, name);

/** What a script left there, so many seconds ago. */
const left = (name: string, sizeBytes: number, secondsAgo: number) => {
  writeFileSync(place(name), 'x'.repeat(sizeBytes));
  const then = new Date(Date.now() - secondsAgo * 1_000);
  utimesSync(place(name), then, then);
};

type Options = { readonly keep?: boolean; readonly before?: readonly string[] };

const put = (fileName: string, sizeBytes: number, { keep = false, before = [] }: Options = {}) => {
  const command = { type: 'PutFile', fileName, overwrite: true, keep } as const;
  const run = commandRun(ordered(command, server.addFile(fileName[0]?.repeat(sizeBytes) ?? '')), { put: before });
  return runCommand(io, run);
};
const isThere = (...names: readonly string[]) => names.filter((name) => existsSync(place(name)));

test('up to the very limit nothing goes; a byte more, and the oldest does', async () => {
  left('old', 400, 100);
  left('older', 300, 200);
  expect(await put('a', 300)).toMatchObject({ outcome: 'Completed' });
  expect(removed).toEqual([]);
  expect(await put('b', 1)).toMatchObject({ outcome: 'Completed' });
  expect(removed).toEqual([{ file: 'older', sizeBytes: 300 }]);
  expect(readdirSync(io.workingFolder.path).sort()).toEqual(['a', 'b', 'old']);
});

test('oldest first, wherever a script left it, and no more than needed', async () => {
  mkdirSync(place('deep/er'), { recursive: true });
  left('first', 200, 400);
  left('deep/er/second', 200, 300);
  left('third', 200, 200);
  left('fourth', 200, 100);
  expect(await put('new', 500)).toMatchObject({ outcome: 'Completed' });
  expect(removed.map(({ file }) => file)).toEqual(['first', join('deep', 'er', 'second')]);
  expect(isThere('third', 'fourth', 'new')).toHaveLength(3);
});

test('a file that was put again is as young as its last put', async () => {
  await put('again', 300);
  left('again-later', 300, 50);
  utimesSync(place('again'), 1, 1);
  await put('again', 300);
  await put('new', 500);
  expect(isThere('again', 'again-later', 'new')).toEqual(['again', 'new']);
});

test('what a script touched in the past goes by that time', async () => {
  await put('put', 500);
  utimesSync(place('put'), 1, 1);
  left('left', 400, 100);
  await put('new', 500);
  expect(isThere('put', 'left', 'new')).toEqual(['left', 'new']);
});

test('what lies under the name makes way by itself', async () => {
  await put('tool', 900);
  left('other', 100, 100);
  expect(await put('tool', 900)).toMatchObject({ outcome: 'Completed' });
  expect(removed).toEqual([]);
});

test('what it replaces counts once, whatever its size', async () => {
  left('other', 100, 100);
  left('tool', 900, 50);
  expect(await put('tool', 900)).toMatchObject({ outcome: 'Completed' });
  expect([removed, readFileSync(place('tool'), 'utf8').slice(0, 1)]).toEqual([[], 't']);
});

test('links are neither followed nor removed', async () => {
  const outside = join(folder.path, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'precious'), 'x'.repeat(5_000));
  symlinkSync(outside, place('to-a-folder'));
  symlinkSync(join(outside, 'precious'), place('to-a-file'));
  left('old', 600, 100);
  expect(await put('new', 600)).toMatchObject({ outcome: 'Completed' });
  expect(readdirSync(io.workingFolder.path).sort()).toEqual(['new', 'to-a-file', 'to-a-folder']);
  expect(existsSync(join(outside, 'precious'))).toBe(true);
});

test('what is kept and what this action put stays, however old', async () => {
  await put('kept', 300, { keep: true });
  await put('mine', 300);
  for (const name of ['kept', 'mine']) utimesSync(place(name), 1, 1);
  left('old', 300, 100);
  expect(await put('new', 400, { before: ['mine'] })).toMatchObject({ outcome: 'Completed' });
  expect(isThere('kept', 'mine', 'old', 'new')).toEqual(['kept', 'mine', 'new']);
});

describe('no room', () => {
  const expectLack = async (ending: ReturnType<typeof put>) => {
    const { outcome, errors } = await ending;
    const [sentence = ''] = errors;
    expect([outcome, errors.length]).toEqual(['Failed', 1]);
    expect(sentence).toContain('--work-mib');
    expect(downloads).toBe(0);
    expect(readdirSync(io.folders.incoming)).toEqual([]);
    return sentence;
  };

  test('a file greater than the limit: nothing is removed for nothing', async () => {
    left('old', 600, 100);
    expect(await expectLack(put('new', 1_001))).toContain('room for 1001 bytes in the working folder, got 1000');
    expect(isThere('old', 'new')).toEqual(['old']);
  });
  test('beside files that are to be kept', async () => {
    await put('kept', 600, { keep: true });
    downloads = 0;
    left('old', 100, 100);
    expect(await expectLack(put('new', 500))).toContain('got 400');
    expect(isThere('kept', 'old', 'new')).toEqual(['kept', 'old']);
    // and once more without the wish to keep it, it makes way
    await put('kept', 600);
    expect(await put('new', 500)).toMatchObject({ outcome: 'Completed' });
  });
  test('beside what this action put', async () => {
    await put('mine', 600);
    downloads = 0;
    expect(await expectLack(put('new', 500, { before: ['mine'] }))).toContain('got 400');
    expect(await put('new', 500)).toMatchObject({ outcome: 'Completed' });
    expect(isThere('mine', 'new')).toEqual(['new']);
  });
});

test('more files than are looked at together', async () => {
  for (let count = 0; count < 1_100; count++) left(`f${count}`, 1, 10_000 - count);
  expect(await put('new', LIMIT_BYTES - 2)).toMatchObject({ outcome: 'Completed' });
  expect(readdirSync(io.workingFolder.path).sort()).toEqual(['f1098', 'f1099', 'new']);
}, 30_000);

test('scripts that are kept for the next time have the same bound, oldest first', async () => {
  const script = (name: string) => {
    const { sha256, sizeBytes } = server.addFile(`#!/bin/sh\n# ${name} ${'x'.repeat(500)}\n`);
    const run = commandRun(ordered({ type: 'RunScript', scriptName: name, args: '' }, { sha256, sizeBytes }));
    return { sha256, ended: runCommand(io, run) };
  };
  for (const name of ['one.sh', 'two.sh', 'three.sh']) {
    const { sha256, ended } = script(name);
    expect(await ended).toMatchObject({ outcome: 'Completed' });
    expect(readdirSync(io.folders.scripts)).toEqual([sha256]);
  }
});
