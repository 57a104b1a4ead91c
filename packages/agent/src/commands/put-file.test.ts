import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandRun, commandWorld } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { ordered, sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import type { CommandIo } from './command-run.ts';
import { runCommand } from './index.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: CommandIo;
let downloads: number;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  io = commandWorld(folder.path, server);
  downloads = 0;
  server.settings.intercept = () => {
    downloads++;
    return null;
  };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const target = (name = 'tool.bin') => join(io.workingFolder.path, name);

const put = (content: string, changes: { readonly overwrite?: boolean; readonly keep?: boolean } = {}) => {
  const command = { type: 'PutFile', fileName: 'tool.bin', overwrite: true, keep: false, ...changes } as const;
  return runCommand(io, commandRun(ordered(command, server.addFile(content))));
};

const COMPLETED = { outcome: 'Completed', errors: [], exitCode: null, results: [] } as const;

test('the file is there, whole, and leaves nothing beside it', async () => {
  expect(await put('content')).toEqual(COMPLETED);
  expect(readFileSync(target(), 'utf8')).toBe('content');
  expect(readdirSync(io.workingFolder.path)).toEqual(['tool.bin']);
  expect(readdirSync(io.folders.incoming)).toEqual([]);
});

test('the same content again needs no download', async () => {
  await put('content');
  const before = downloads;
  expect(await put('content', { overwrite: false })).toEqual(COMPLETED);
  expect(downloads).toBe(before);
});

test('other content replaces it', async () => {
  await put('older');
  expect(await put('newer')).toEqual(COMPLETED);
  expect(readFileSync(target(), 'utf8')).toBe('newer');
});

test('unless Overwrite is false', async () => {
  await put('older');
  expect(await put('newer', { overwrite: false })).toMatchObject({
    outcome: 'Failed',
    errors: [expect.stringContaining('Overwrite')],
  });
  expect(readFileSync(target(), 'utf8')).toBe('older');
});

test('what is not the pinned file never gets its name', async () => {
  server.settings.intercept = () => new Response('CONTENT');
  const end = await put('content');
  expect(end).toMatchObject({ outcome: 'Failed', errors: [expect.stringContaining(sha256Of('CONTENT'))] });
  expect(existsSync(target())).toBe(false);
  expect(readdirSync(io.folders.incoming)).toEqual([]);
});

test('a link of this name is replaced, and what it points to is left alone', async () => {
  const outside = join(folder.path, 'outside');
  writeFileSync(outside, 'precious');
  symlinkSync(outside, target());
  expect(await put('content')).toEqual(COMPLETED);
  expect(lstatSync(target()).isSymbolicLink()).toBe(false);
  expect(readFileSync(target(), 'utf8')).toBe('content');
  expect(readFileSync(outside, 'utf8')).toBe('precious');
});

test('a link to the very content is no such file', async () => {
  const outside = join(folder.path, 'outside');
  writeFileSync(outside, 'content');
  symlinkSync(outside, target());
  expect(await put('content', { overwrite: false })).toMatchObject({ outcome: 'Failed' });
});

test('a folder of this name is refused', async () => {
  mkdirSync(target());
  expect(await put('content')).toMatchObject({ outcome: 'Failed', errors: [expect.stringContaining('folder')] });
});

describe('after a restart', () => {
  const reopen = (bootId: string) => commandWorld(folder.path, server, { bootId });

  test('of the agent, everything stays', async () => {
    await put('content');
    reopen(io.platform.bootId());
    expect(existsSync(target())).toBe(true);
  });
  test('of the device, what a script or PutFile left goes, and links are not followed', async () => {
    await put('content');
    const outside = join(folder.path, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious'), '');
    symlinkSync(outside, target('link'));
    mkdirSync(target('made/by/a/script'), { recursive: true });
    reopen('another start');
    expect(readdirSync(io.workingFolder.path)).toEqual([]);
    expect(existsSync(join(outside, 'precious'))).toBe(true);
  });
  test('of the device, what is to be kept stays, over any number of them', async () => {
    await put('content', { keep: true });
    reopen('another start');
    reopen('one more start');
    expect(readFileSync(target(), 'utf8')).toBe('content');
  });
  test('of the device, what was put again without Keep goes', async () => {
    await put('content', { keep: true });
    await put('content', { keep: false });
    reopen('another start');
    expect(existsSync(target())).toBe(false);
  });
});
