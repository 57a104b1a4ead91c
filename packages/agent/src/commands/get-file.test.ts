import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { commandRun, commandWorld, stopper } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import type { CommandIo, CommandRun } from './command-run.ts';
import { runCommand } from './index.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: CommandIo;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  io = commandWorld(folder.path, server);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const at = (name: string) => join(io.workingFolder.path, name);
const get = (path: string, changes: Partial<CommandRun> = {}, stopped = stopper()) =>
  runCommand(io, commandRun({ type: 'GetFile', path }, changes, stopped));
const sent = () => [...server.uploads.values()].map(({ bytes }) => new TextDecoder().decode(bytes));
const terms = (maxGetBytes: number) => ({ maxGetBytes, maxOutputBytes: 1, stopOnNonzeroExit: false });

const expectFailed = async (ending: ReturnType<typeof get>, sentence: string) => {
  expect(await ending).toEqual({
    outcome: 'Failed',
    errors: [expect.stringContaining(sentence)],
    exitCode: null,
    results: [],
  });
  expect(server.uploads.size).toBe(0);
};

test('a file of the working folder is collected by its relative path', async () => {
  writeFileSync(at('out.txt'), 'collected');
  const end = await get('out.txt');
  expect(end).toMatchObject({ outcome: 'Completed', errors: [] });
  expect(end.results).toEqual([
    {
      stream: 'file',
      path: at('out.txt'),
      isSpool: false,
      isUploaded: true,
      sha256: sha256Of('collected'),
      sizeBytes: 9,
      name: 'out.txt',
      cutBytes: 0,
    },
  ]);
  expect(sent()).toEqual(['collected']);
});

test('links are followed, and the name is the one that was asked for', async () => {
  writeFileSync(join(folder.path, 'target'), 'behind the link');
  symlinkSync(join(folder.path, 'target'), at('link'));
  const target = join(folder.path, 'target');
  const end = await get(at('link'));
  expect(end.results[0]).toMatchObject({ name: 'link', path: target });
  expect(end.errors).toEqual([`${at('link')}: reached through a link; collected was ${target}`]);
  expect((await get(target)).errors).toEqual([]);
  expect(sent()).toEqual(['behind the link', 'behind the link']);
});

test('an empty file is a result too', async () => {
  writeFileSync(at('empty'), '');
  const end = await get('empty');
  expect(end).toMatchObject({ outcome: 'Completed' });
  expect(end.results[0]).toMatchObject({ sizeBytes: 0, sha256: sha256Of('') });
});

test.if(process.platform === 'linux')('a file that does not tell its size is copied first', async () => {
  const end = await get('/proc/version');
  expect(end).toMatchObject({ outcome: 'Completed' });
  expect(end.results[0]).toMatchObject({ isSpool: true, name: 'version' });
  expect(sent()[0]).toStartWith('Linux version');
});

test.if(process.platform === 'linux')('one that claims a size it has not is copied too', async () => {
  const end = await get('/sys/kernel/mm/transparent_hugepage/enabled');
  expect(end.errors).toEqual([]);
  expect(sent()[0]).toContain('always');
});

describe('what is no regular file that can be read', () => {
  test('nothing there', () => expectFailed(get('nothing'), 'no such file'));
  test('a path through a file', async () => {
    writeFileSync(at('file'), '');
    await expectFailed(get('file/below'), 'no such file');
  });
  test('a folder', async () => {
    mkdirSync(at('folder'));
    await expectFailed(get('folder'), 'a folder');
  });
  test('a pipe, which never hangs', async () => {
    Bun.spawnSync(['mkfifo', at('pipe')]);
    await expectFailed(get('pipe'), 'a pipe');
  });
  test('a socket', async () => {
    const listener = createServer().listen(at('socket'));
    await expectFailed(get('socket'), 'a socket');
    listener.close();
  });
  test('a device', () => expectFailed(get('/dev/zero'), 'a device'));
  test('links in a circle', async () => {
    symlinkSync(at('b'), at('a'));
    symlinkSync(at('a'), at('b'));
    await expectFailed(get('a'), 'circle');
  });
  test.skipIf(process.getuid?.() === 0)('not ours to read', async () => {
    writeFileSync(at('secret'), 'x');
    chmodSync(at('secret'), 0);
    await expectFailed(get('secret'), 'may not read');
  });
});

describe('the size limit', () => {
  test('at the limit', async () => {
    writeFileSync(at('file'), 'x'.repeat(1_000));
    expect(await get('file', { terms: terms(1_000) })).toMatchObject({ outcome: 'Completed' });
  });
  test('one byte past it, refused before the first byte', async () => {
    writeFileSync(at('file'), 'x'.repeat(1_001));
    await expectFailed(get('file', { terms: terms(1_000) }), 'at most 1000 bytes, it has 1001');
  });
  test.if(process.platform === 'linux')('past it in a file that does not tell its size', async () => {
    await expectFailed(get('/proc/version', { terms: terms(10) }), 'at most 10 bytes');
    expect(readdirSync(io.folders.spool)).toEqual([]);
  });
});

test('a file that shrinks while it is read fails', async () => {
  writeFileSync(at('file'), 'x'.repeat(100_000));
  server.settings.intercept = (request) => {
    if (request.method === 'POST') truncateSync(at('file'), 10);
    return null;
  };
  expect(await get('file')).toMatchObject({ outcome: 'Failed', errors: [expect.stringContaining('shrank')] });
});

test('a server that does not want it: failed, with its answer', async () => {
  writeFileSync(at('file'), 'x');
  server.settings.intercept = () => new Response(null, { status: 403 });
  await expectFailed(get('file'), 'HTTP 403');
});

test('a network that is away until the time is over: failed, with what stood in its way', async () => {
  writeFileSync(at('file'), 'x');
  const stopped = stopper();
  let attempts = 0;
  server.settings.intercept = () => {
    attempts++;
    return new Response(null, { status: 503 });
  };
  const ending = get('file', {}, stopped);
  await until('some attempts', () => attempts > 2);
  stopped.stop('timed-out');
  expect(await ending).toMatchObject({
    outcome: 'Failed',
    errors: ['timed out after 60 s', expect.stringContaining('HTTP 503')],
  });
});
