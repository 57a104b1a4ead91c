import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandRun, commandWorld, stopper } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { ordered } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import type { CommandEnd, CommandIo, CommandRun } from './command-run.ts';
import { runCommand } from './index.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: CommandIo;
let requests: string[];

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  io = commandWorld(folder.path, server);
  requests = [];
  server.settings.intercept = (_, path) => {
    requests.push(path);
    return null;
  };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

type Script = { readonly name?: string; readonly args?: string; readonly text: string; readonly seconds?: number };

const orderedScript = ({ name = 'a.sh', args = '', text, seconds = 60 }: Script) =>
  ordered({ type: 'RunScript', scriptName: name, args }, server.addFile(text), seconds);

const run = (script: Script, changes: Partial<CommandRun> = {}, stopped = stopper()) =>
  runCommand(io, commandRun(orderedScript(script), changes, stopped));

const output = (end: CommandEnd, stream: 'stdout' | 'stderr' = 'stdout'): string =>
  readFileSync(end.results.find((result) => result.stream === stream)?.path ?? '', 'utf8');

const started = () => {
  const pids: number[] = [];
  return { pids, onProcess: ({ pid }: { readonly pid: number }) => void pids.push(pid) };
};

test('arguments reach the script one by one, and no shell sees them', async () => {
  const args = `plain "two words" '$(id)' "it""s" back\\slash ; > --noargs ''`;
  const end = await run({ text: 'for a in "$@"; do printf "<%s>\\n" "$a"; done', args });
  expect(output(end).trim().split('\n')).toEqual([
    '<plain>',
    '<two words>',
    '<$(id)>',
    '<it"s>',
    '<back\\slash>',
    '<;>',
    '<>>',
    '<--noargs>',
    '<>',
  ]);
});

test('it runs in the working folder, and knows its action', async () => {
  const end = await run({ text: 'pwd; echo $LONGARM_ACTION_ID $LONGARM_COMMAND_INDEX; umask' }, { index: 3 });
  const [cwd, ids] = output(end).split('\n');
  expect(cwd).toBe(io.workingFolder.path);
  expect(ids).toMatch(/^[0-9a-f-]{36} 3$/);
});

test('both outputs are results, also when they are empty', async () => {
  const end = await run({ text: 'true' });
  expect(end.results.map(({ stream, name, sizeBytes }) => [stream, name, sizeBytes])).toEqual([
    ['stdout', 'stdout', 0],
    ['stderr', 'stderr', 0],
  ]);
});

test('a script that exits non-zero has run to its end', async () => {
  expect(await run({ text: 'exit 3' })).toMatchObject({ outcome: 'Completed', exitCode: 3, errors: [] });
});

test('unless non-zero is to count as failed', async () => {
  const terms = { maxGetBytes: 1, maxOutputBytes: 10, stopOnNonzeroExit: true };
  const end = await run({ text: 'echo kept; exit 3' }, { terms });
  expect(end).toMatchObject({ outcome: 'Failed', exitCode: 3, errors: ['exited with 3'] });
  expect(output(end)).toBe('kept\n');
});

test('killed by a signal: failed, 128 and the signal, and what it said is kept', async () => {
  const end = await run({ text: 'echo kept; kill -SEGV $$' });
  expect(end).toMatchObject({ outcome: 'Failed', exitCode: 139 });
  expect(output(end)).toBe('kept\n');
});

test('what is cut is said', async () => {
  const terms = { maxGetBytes: 1, maxOutputBytes: 4, stopOnNonzeroExit: false };
  const end = await run({ text: 'printf 123456' }, { terms });
  expect(end).toMatchObject({ outcome: 'Completed', exitCode: 0 });
  expect(end.errors).toEqual(['stdout: 2 bytes in its middle were let go: only the first 2 and the last 2 are kept']);
  expect(output(end)).toBe('12\n[longarm: 2 bytes of this output were not kept]\n56');
  expect(end.results[0]).toMatchObject({ sizeBytes: output(end).length, cutBytes: 2 });
});

describe('the interpreter', () => {
  test('python by its suffix', async () => {
    expect(output(await run({ name: 'a.py', text: 'import sys; print(sys.argv[1])', args: 'x' }))).toBe('x\n');
  });
  test('any by the first line', async () => {
    expect(output(await run({ name: 'tool', text: '#!/bin/sh\necho $1', args: 'x' }))).toBe('x\n');
  });
  test('none: failed before anything ran', async () => {
    const end = await run({ name: 'tool', text: 'no first line' });
    expect(end).toMatchObject({ outcome: 'Failed', exitCode: null, results: [] });
  });
  test('one that is not installed is named', async () => {
    io = { ...io, which: () => null };
    expect((await run({ text: 'true' })).errors[0]).toContain('bash');
  });
});

describe('the script itself', () => {
  test('is fetched once', async () => {
    await run({ text: 'echo same' });
    await run({ text: 'echo same' });
    expect(requests.filter((path) => path.includes('/files/'))).toHaveLength(1);
  });
  test('is fetched again when somebody changed it on the device', async () => {
    await run({ text: 'echo right' });
    const { file } = orderedScript({ text: 'echo right' });
    if (file === null) throw new Error('expected a file');
    writeFileSync(join(io.folders.scriptFolder(file.sha256), 'a.sh'), 'echo wrong');
    expect(output(await run({ text: 'echo right' }))).toBe('right\n');
  });
  test('that came with the offer is not fetched', async () => {
    const { file } = orderedScript({ text: 'echo brought' });
    const brought = (sha256: string) => (sha256 === file?.sha256 ? new TextEncoder().encode('echo brought') : null);
    expect(output(await run({ text: 'echo brought' }, { brought }))).toBe('brought\n');
    expect(requests.filter((path) => path.includes('/files/'))).toEqual([]);
  });
  test('is fetched when what came with the offer is something else', async () => {
    const brought = () => new TextEncoder().encode('echo wrong');
    expect(output(await run({ text: 'echo right' }, { brought }))).toBe('right\n');
    expect(requests.filter((path) => path.includes('/files/'))).toHaveLength(1);
  });
  test('that the server refuses is not run', async () => {
    server.settings.intercept = () => new Response(null, { status: 404 });
    const end = await run({ text: 'true' });
    expect(end).toMatchObject({ outcome: 'Failed', exitCode: null, results: [] });
    expect(end.errors[0]).toContain('HTTP 404');
  });
});

describe('stopped', () => {
  const stubborn = 'trap "" TERM; echo begun; while :; do sleep 0.05; done';

  test('at its time limit: failed, with what it said, and how it went', async () => {
    const stopped = stopper();
    const { pids, onProcess } = started();
    const ending = run({ text: stubborn, seconds: 5 }, { onProcess }, stopped);
    await until('its first words', () => pids.length > 0 && readFileSync(spool(), 'utf8') !== '');
    stopped.stop('timed-out');
    const end = await ending;
    expect(end).toMatchObject({ outcome: 'Failed', exitCode: 137 });
    expect(end.errors).toEqual(['timed out after 5 s', 'it did not end when asked, and was killed']);
    expect(output(end)).toBe('begun\n');
    expect(io.platform.startTimeOf(pids[0] ?? 0)).toBeNull();
  });

  test('by a cancel: failed as cancelled, with what it said', async () => {
    const stopped = stopper();
    const { pids, onProcess } = started();
    const ending = run({ text: 'echo begun; sleep 300' }, { onProcess }, stopped);
    await until('its first words', () => pids.length > 0 && readFileSync(spool(), 'utf8') !== '');
    stopped.stop('cancelled');
    const end = await ending;
    expect(end).toMatchObject({ outcome: 'Failed', errors: ['cancelled'], exitCode: 143 });
    expect(output(end)).toBe('begun\n');
  });

  test('while it is fetched: failed, nothing ran', async () => {
    const stopped = stopper();
    server.settings.intercept = (_, path) => {
      requests.push(path);
      return new Response(null, { status: 503 });
    };
    const ending = run({ text: 'true', seconds: 9 }, {}, stopped);
    await until('an attempt', () => requests.length > 0);
    stopped.stop('timed-out');
    const end = await ending;
    expect(end).toMatchObject({ outcome: 'Failed', results: [], exitCode: null });
    expect(end.errors[0]).toBe('timed out after 9 s');
  });

  const spool = () => {
    const name = [...new Bun.Glob('*-stdout').scanSync(io.folders.spool)][0];
    return name === undefined ? '/dev/null' : join(io.folders.spool, name);
  };
});
