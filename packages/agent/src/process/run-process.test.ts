import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GRACE_MS, realAfter } from '../../test/command-world.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { thisPlatform } from '../platform/this-platform.ts';
import { type ProcessOrder, runProcess } from './run-process.ts';

const platform = thisPlatform(process.platform);
const isLinux = platform.osPlatform === 'Linux';
const parts = { platform, after: realAfter, graceMs: GRACE_MS, spawnFault: () => null };
const PATH = process.env.PATH ?? '';

let folder: ReturnType<typeof temporaryFolder>;
let stop: AbortController;
let mark: string;

beforeEach(() => {
  folder = temporaryFolder();
  stop = new AbortController();
  mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
});
afterEach(() => folder[Symbol.dispose]());

const at = (name: string) => join(folder.path, name);
const io = () => ({ ...parts, helperFile: at('join-group.sh') });

const bash = (script: string, changes: Partial<ProcessOrder> = {}) =>
  runProcess(io(), {
    command: ['/bin/bash', '-c', script],
    folder: folder.path,
    environment: { PATH, LONGARM_ACTION_ID: mark.slice(mark.indexOf('=') + 1) },
    spool: { stdout: at('stdout'), stderr: at('stderr'), maxBytes: 1_000 },
    mark,
    stop: stop.signal,
    onStarted: () => {},
    ...changes,
  });

const text = (name: string) => readFileSync(at(name), 'utf8');
const isRunning = (pid: number) => platform.startTimeOf(pid) !== null;

/** A pid that a script wrote into a file of the folder. */
const pidIn = (name: string) =>
  until(`a pid in ${name}`, () => (existsSync(at(name)) && /^\d+\n$/.test(text(name)) ? Number(text(name)) : null));

test('outputs come apart, whole and hashed, with the exit code', async () => {
  const end = await bash('echo out; echo err >&2; exit 7');
  expect(end).toMatchObject({ exitCode: 7, signal: null, wasKilled: false, left: [] });
  expect([text('stdout'), text('stderr')]).toEqual(['out\n', 'err\n']);
  expect(end.stdout).toMatchObject({ sizeBytes: 4, cutBytes: 0, fault: null });
  expect(end.stdout.sha256).toBe(new Bun.CryptoHasher('sha256').update('out\n').digest('hex') as never);
});

test('input is closed, the group is its own, and nothing of the agent’s environment is there', async () => {
  await bash('cat; ps -o pgid= -p $$ | tr -d " "; echo $$; printenv HOME || echo none');
  const [group, pid, home] = text('stdout').split('\n');
  expect(group).toBe(pid ?? '');
  expect(home).toBe('none');
});

test('what is beyond the bound is counted and let go, and the process still ends', async () => {
  const end = await bash('head -c 500000 /dev/zero; head -c 1000 /dev/zero >&2');
  expect(end.exitCode).toBe(0);
  expect(end.stdout).toMatchObject({ sizeBytes: text('stdout').length, cutBytes: 499_000 });
  expect(end.stderr).toMatchObject({ sizeBytes: 1_000, cutBytes: 0 });
  const zeros = '\0'.repeat(500);
  expect(text('stdout')).toBe(`${zeros}\n[longarm: 499000 bytes of this output were not kept]\n${zeros}`);
});

test('a signal that ends it is told by its number', async () => {
  expect(await bash('kill -9 $$')).toMatchObject({ exitCode: null, signal: 9 });
});

test('what its first process leaves in the group is ended', async () => {
  await bash('sleep 300 & echo $! > child');
  expect(isRunning(await pidIn('child'))).toBe(false);
});

test('one that left the group and holds the outputs open does not hold up the end', async () => {
  const started = performance.now();
  await bash('setsid sleep 300 & echo $! > child; echo said');
  const child = await pidIn('child');
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(text('stdout')).toBe('said\n');
  process.kill(child, 'SIGKILL');
});

test('a program that is not there cannot be started', async () => {
  await expect(bash('', { command: ['/nowhere/at-all'] })).rejects.toMatchObject({ code: 'ENOENT' });
});

test('when its start cannot be written down it is ended at once', async () => {
  let pid = 0;
  const onStarted: ProcessOrder['onStarted'] = (started) => {
    ({ pid } = started);
    throw new Error('disk full');
  };
  await expect(bash('sleep 300', { onStarted })).rejects.toThrow('disk full');
  await until('its end', () => pid !== 0 && !isRunning(pid));
});

describe('when it is stopped', () => {
  test('it ends when asked, and what it said is kept', async () => {
    const ending = bash('echo so far; echo $$ > ready; sleep 300');
    await pidIn('ready');
    stop.abort();
    expect(await ending).toMatchObject({ exitCode: null, signal: 15, wasKilled: false });
    expect(text('stdout')).toBe('so far\n');
  });

  test('a child that ignores the asking is killed after the grace', async () => {
    const ending = bash(`bash -c 'trap "" TERM; echo $$ > child; while :; do sleep 0.05; done'`);
    const child = await pidIn('child');
    const asked = performance.now();
    stop.abort();
    expect(await ending).toMatchObject({ wasKilled: true, left: [] });
    expect(performance.now() - asked).toBeGreaterThanOrEqual(GRACE_MS - 5);
    expect(isRunning(child)).toBe(false);
  });

  test.if(isLinux)('one that left the group is found by its mark', async () => {
    const ending = bash('setsid sleep 300 & echo $! > child; wait');
    const child = await pidIn('child');
    stop.abort();
    await ending;
    expect(isRunning(child)).toBe(false);
  });

  test('before it started, nothing of it stays', async () => {
    stop.abort();
    let pid = 0;
    await bash('sleep 300', { onStarted: (started) => ({ pid } = started) });
    expect(isRunning(pid)).toBe(false);
  });
});
