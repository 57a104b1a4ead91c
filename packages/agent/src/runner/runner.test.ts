import { afterEach, beforeEach, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fact } from '@longarm/contract/wire/to-server';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { type RunnerWorld, runnerWorld } from '../../test/runner-world.ts';
import { ordered, payloadOf } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { until } from '../../test/until.ts';
import { openJournal } from '../journal/journal.ts';
import { openLogFile } from '../journal/log-file.ts';
import { fileDisk, type LogDisk } from '../platform/log-disk.ts';
import { type Runner, runner } from './runner.ts';
import { ticketsOf } from './tickets.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let io: RunnerWorld;
let actions: Runner;

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  io = runnerWorld(folder.path, server);
  actions = runner(io, (fault) => {
    throw fault;
  });
});
afterEach(async () => {
  await actions.stop();
  io.journal.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** An action of two commands that fail at once, since there is nothing to collect. */
const take = (isBegun: boolean) => {
  const missing = ordered({ type: 'GetFile', path: join(folder.path, 'missing') });
  const payload = payloadOf([missing, missing]);
  const { actionId } = payload;
  const started = { kind: 'command-started', actionId, index: 0, at: 1 } as const;
  io.journal.take(
    { payload, ticket: 't', bootId: io.bootId },
    { kind: 'accepted', actionId, at: 1 },
    ...(isBegun ? [started] : []),
  );
  return actionId;
};

const kinds = () => io.journal.owed().map(({ fact }) => fact.kind);

test.each([true, false])('a first command is told as started once, begun as it was taken on: %p', async (isBegun) => {
  const actionId = take(isBegun);
  expect(actions.isIdle()).toBe(true);
  actions.begin(actionId);
  expect(actions.isIdle()).toBe(false);
  await until('its end', () => io.journal.action(actionId)?.ended === 'done');
  expect(kinds()).toEqual(['accepted', 'command-started', 'command-finished', 'action-ended']);
  await until('the runner is idle again', actions.isIdle);
});

/** What the journal's records say of commands and actions, each record a line. */
const records = () =>
  openLogFile(fileDisk(io.commands.folders.journal)).payloads.map((payload) => {
    const entries: readonly { readonly kind: string; readonly report?: { readonly fact: Fact } }[] =
      JSON.parse(payload);
    const facts = entries.flatMap(({ report }) => (report === undefined ? [] : [report.fact]));
    return facts.map((fact) => ('index' in fact ? `${fact.kind} ${fact.index}` : fact.kind)).join(', ');
  });

test('what is true at once is one record, and each command of an action runs', async () => {
  const path = join(folder.path, 'there');
  writeFileSync(path, 'x');
  const collect = ordered({ type: 'GetFile', path });
  const payload = payloadOf([collect, collect]);
  const { actionId } = payload;
  io.journal.take(
    { payload, ticket: 't', bootId: io.bootId },
    { kind: 'accepted', actionId, at: 1 },
    { kind: 'command-started', actionId, index: 0, at: 1 },
  );
  actions.begin(actionId);
  await until('its end', () => io.journal.action(actionId)?.ended === 'done');
  expect(records().filter((record) => record !== '')).toEqual([
    'accepted, command-started 0',
    'command-finished 0, command-started 1',
    'command-finished 1, action-ended',
  ]);
});

test('a disk that refuses the next start keeps the end of the command before it owed', async () => {
  let isFull = false;
  const disk = fileDisk(join(folder.path, 'other.log'));
  const write: LogDisk['write'] = (bytes, position) => {
    if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    disk.write(bytes, position);
  };
  const { journal } = openJournal({ ...disk, write });
  const path = join(folder.path, 'there');
  writeFileSync(path, 'x');
  const collect = ordered({ type: 'GetFile', path });
  const payload = payloadOf([collect, collect]);
  const { actionId } = payload;
  journal.take({ payload, ticket: 't', bootId: io.bootId }, { kind: 'accepted', actionId, at: 1 });
  const runCommand: RunnerWorld['runCommand'] = async (run) => {
    const end = await io.runCommand(run);
    isFull = true;
    return end;
  };
  const refused = runner({ ...io, journal, tickets: ticketsOf(journal, () => {}), runCommand }, (fault) => {
    throw fault;
  });
  refused.begin(actionId);
  await until('its end', () => journal.action(actionId)?.ended === 'done');
  expect(journal.owed().map(({ fact }) => fact)).toMatchObject([
    { kind: 'accepted' },
    { kind: 'command-started', index: 0 },
    { kind: 'command-finished', index: 0, outcome: 'Completed' },
    { kind: 'command-finished', index: 1, outcome: 'Failed', errors: [expect.stringContaining('ENOSPC')] },
    { kind: 'action-ended' },
  ]);
  journal.close();
});

test('once it is stopping nothing begins at once', async () => {
  await actions.stop();
  expect(actions.isIdle()).toBe(false);
});
