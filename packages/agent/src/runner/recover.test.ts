import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import type { ActionId } from '@longarm/contract/ids';
import type { Fact } from '@longarm/contract/wire/to-server';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { type RunnerWorld, runnerWorld } from '../../test/runner-world.ts';
import { ordered, payloadOf, sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { recover } from './recover.ts';

const BOOT = 'this start';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: RunnerWorld;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  io = runnerWorld(folder.path, server, { platform: { bootId: () => BOOT } });
});
afterEach(async () => {
  io.journal.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const file = { sha256: sha256Of('x'), sizeBytes: 1 };
const command = ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' }, file);

/** An action of two commands, taken in this start of the device or another. */
const take = (bootId = BOOT): ActionId => {
  const payload = payloadOf([command, command]);
  const { actionId } = payload;
  io.journal.take({ payload, ticket: 't', bootId }, { kind: 'accepted', actionId, at: 1 });
  return actionId;
};

const tell = (fact: Fact) => io.journal.report({ fact });
const start = (actionId: ActionId, index: number) => tell({ kind: 'command-started', actionId, index, at: 1 });
const finish = (actionId: ActionId, index: number, outcome: 'Completed' | 'Failed' = 'Completed') =>
  tell({ kind: 'command-finished', actionId, index, at: 1, outcome, errors: [], exitCode: 0, results: [] });

const told = async () => {
  const before = io.journal.owed().length;
  const goOn = await recover(io);
  return {
    goOn,
    facts: io.journal
      .owed()
      .slice(before)
      .map(({ fact }) => fact),
  };
};

test('accepted and nothing started: it goes on', async () => {
  const actionId = take();
  expect(await told()).toEqual({ goOn: [actionId], facts: [] });
});

test('between two commands: it goes on with the next', async () => {
  const actionId = take();
  start(actionId, 0);
  finish(actionId, 0);
  expect(await told()).toEqual({ goOn: [actionId], facts: [] });
  expect(io.journal.action(actionId)?.next).toBe(1);
});

test('several go on in their order', async () => {
  const ids = [take(), take(), take()];
  expect((await told()).goOn).toEqual(ids);
});

test('in a command: interrupted, with what it had said so far', async () => {
  const actionId = take();
  start(actionId, 0);
  writeFileSync(io.commands.folders.spoolFile(actionId, 0, 'stdout'), 'so far');
  const { goOn, facts } = await told();
  expect(goOn).toEqual([]);
  expect(facts).toEqual([
    {
      kind: 'command-finished',
      actionId,
      index: 0,
      at: 1_000,
      outcome: 'Failed',
      errors: ['interrupted: the agent restarted'],
      exitCode: null,
      results: [{ stream: 'stdout', sha256: sha256Of('so far'), sizeBytes: 6, name: 'stdout', cutBytes: 0 }],
    },
    { kind: 'action-ended', actionId, at: 1_000, how: 'interrupted' },
  ]);
});

test('in a command that was being cancelled: cancelled', async () => {
  const actionId = take();
  start(actionId, 0);
  tell({ kind: 'cancel-heard', actionId, at: 1 });
  const { facts } = await told();
  expect(facts).toMatchObject([{ errors: ['cancelled'] }, { kind: 'action-ended', how: 'cancelled' }]);
});

test('after the last command, or a failed one: only its end was not told', async () => {
  const whole = take();
  start(whole, 0);
  finish(whole, 0);
  start(whole, 1);
  finish(whole, 1);
  const failed = take();
  start(failed, 0);
  finish(failed, 0, 'Failed');
  expect((await told()).facts).toEqual([
    { kind: 'action-ended', actionId: whole, at: 1_000, how: 'done' },
    { kind: 'action-ended', actionId: failed, at: 1_000, how: 'done' },
  ]);
});

test('told once: the next start finds nothing to settle', async () => {
  const actionId = take();
  start(actionId, 0);
  await told();
  expect(await told()).toEqual({ goOn: [], facts: [] });
});

describe('after a restart of the device', () => {
  test('nothing had finished: it goes on', async () => {
    const actionId = take('the start before');
    expect((await told()).goOn).toEqual([actionId]);
  });

  test('something had finished, and its working folder is gone: the next command is interrupted', async () => {
    const actionId = take('the start before');
    start(actionId, 0);
    finish(actionId, 0);
    const { goOn, facts } = await told();
    expect(goOn).toEqual([]);
    expect(facts).toMatchObject([
      { kind: 'command-finished', index: 1, outcome: 'Failed', errors: [expect.stringContaining('restarted')] },
      { kind: 'action-ended', how: 'interrupted' },
    ]);
  });
});

describe('survivors', () => {
  const sleeper = () => Bun.spawn(['sleep', '300'], { detached: true });
  const isRunning = (pid: number) => io.commands.platform.startTimeOf(pid) !== null;
  const note = (
    actionId: ActionId,
    process: { readonly pid: number; readonly startTime: string | null },
    bootId = BOOT,
  ) => {
    start(actionId, 0);
    io.journal.note({ kind: 'process', actionId, process: { index: 0, ...process, bootId } });
  };

  test('the process that was started is ended', async () => {
    const { pid } = sleeper();
    note(take(), { pid, startTime: io.commands.platform.startTimeOf(pid) });
    await recover(io);
    expect(isRunning(pid)).toBe(false);
  });

  test('another process that got its number is left alone', async () => {
    const other = sleeper();
    note(take(), { pid: other.pid, startTime: 'another time' });
    await recover(io);
    expect(isRunning(other.pid)).toBe(true);
    other.kill('SIGKILL');
  });

  test('after a restart of the device its number is somebody else’s', async () => {
    const other = sleeper();
    note(take(), { pid: other.pid, startTime: io.commands.platform.startTimeOf(other.pid) }, 'the start before');
    await recover(io);
    expect(isRunning(other.pid)).toBe(true);
    other.kill('SIGKILL');
  });
});
