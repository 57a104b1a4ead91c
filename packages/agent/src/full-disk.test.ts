/** What a disk that is full, or read-only, does to the agent: said, nothing half-written left, and over when there is room. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MachineId } from '@longarm/contract/ids';
import { startAgent } from '../test/agent-process.ts';
import { commandRun, commandWorld } from '../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../test/loopback-server.ts';
import { newActionId, ordered, payloadOf } from '../test/sealed-envelope.ts';
import { smallDisk } from '../test/small-disk.ts';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { until } from '../test/until.ts';
import { runCommand } from './commands/index.ts';
import { openJournal } from './journal/journal.ts';
import { fileReserve } from './platform/disk-reserve.ts';
import { fileDisk } from './platform/log-disk.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const disk = (kib = 2_048) => smallDisk(join(folder.path, 'disk'), kib);
const BIG = 'x'.repeat(1_000_000);

describe('a command', () => {
  test('PutFile: fails with the reason, and leaves nothing', async () => {
    using small = disk(512);
    if (small === null) return;
    const io = commandWorld(small.path, server);
    const command = { type: 'PutFile', fileName: 'big', overwrite: true, keep: true } as const;
    const end = await runCommand(io, commandRun(ordered(command, server.addFile(BIG))));
    expect(end.outcome).toBe('Failed');
    expect(end.errors.join()).toContain('ENOSPC');
    expect([readdirSync(io.workingFolder.path), readdirSync(io.folders.incoming)]).toEqual([[], []]);
  });

  test('RunScript: one that cannot be fetched fails with the reason', async () => {
    using small = disk(512);
    if (small === null) return;
    const io = commandWorld(small.path, server);
    small.fill();
    const script = server.addFile('#!/bin/sh\necho said\n');
    const run = commandRun(ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' }, script));
    const end = await runCommand(io, run);
    expect(end.outcome).toBe('Failed');
    expect(end.errors.join()).toContain('ENOSPC');
    expect(readdirSync(io.folders.incoming)).toEqual([]);
    small.free();
    expect(await runCommand(io, run)).toMatchObject({ outcome: 'Completed' });
  });

  test('RunScript: an output that the disk does not take is cut, and that is said', async () => {
    using small = disk(512);
    if (small === null) return;
    const io = commandWorld(small.path, server);
    const script = server.addFile('#!/bin/sh\nhead -c 1000000 /dev/zero\nexit 3\n');
    const ordering = ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' }, script);
    const terms = { maxGetBytes: 1, maxOutputBytes: 2_000_000, stopOnNonzeroExit: false };
    const end = await runCommand(io, commandRun(ordering, { terms }));
    expect([end.outcome, end.exitCode]).toEqual(['Completed', 3]);
    expect(end.errors.join()).toContain('ENOSPC');
    const [stdout] = end.results;
    expect((stdout?.sizeBytes ?? 0) + (stdout?.cutBytes ?? 0)).toBe(1_000_000);
  });

  test('RunScript: a short output needs no room on the disk', async () => {
    using small = disk(512);
    if (small === null) return;
    const io = commandWorld(small.path, server);
    const script = server.addFile('#!/bin/sh\necho said\n');
    const run = () => commandRun(ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' }, script));
    await runCommand(io, run());
    small.fill();
    const end = await runCommand(io, run());
    expect([end.outcome, end.errors]).toEqual(['Completed', []]);
    expect(Buffer.from(end.results[0]?.content ?? '').toString()).toBe('said\n');
  });

  test('GetFile: a copy that the disk does not take fails with the reason, and is removed', async () => {
    using small = disk(512);
    if (small === null) return;
    const io = commandWorld(small.path, server);
    small.fill();
    const end = await runCommand(io, commandRun({ type: 'GetFile', path: '/proc/self/status' }));
    expect(end.outcome).toBe('Failed');
    expect(end.errors.join()).toContain('ENOSPC');
    expect(readdirSync(io.folders.spool)).toEqual([]);
  });

  test.each(['spool', 'working-folder', 'incoming', 'scripts'])(
    'on a read-only %s: fails with the reason',
    async (name) => {
      const io = commandWorld(folder.path, server);
      using small = smallDisk(join(folder.path, name), 512);
      if (small === null) return;
      small.readOnly();
      const put = { type: 'PutFile', fileName: 'f', overwrite: true, keep: false } as const;
      const script = ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' }, server.addFile('#!/bin/sh\necho\n'));
      const ends = [
        await runCommand(io, commandRun(ordered(put, server.addFile('content')))),
        await runCommand(io, commandRun(script)),
      ];
      const failures = ends.filter(({ outcome }) => outcome === 'Failed').flatMap(({ errors }) => errors);
      expect(failures.length).toBeGreaterThan(0);
      for (const error of failures) expect(error).toMatch(/EROFS|EXDEV/);
    },
  );
});

describe('the journal', () => {
  const actionId = newActionId();
  const payload = payloadOf([ordered({ type: 'GetFile', path: '/etc/hostname' })], { actionId });
  const accepted = { kind: 'accepted', actionId, at: 1 } as const;
  const opened = (path: string, told: (string | null)[] = []) =>
    openJournal(fileDisk(join(path, 'journal.log')), {
      reserve: fileReserve(join(path, 'journal.reserve')),
      onDisk: (fault) => told.push(fault),
    });

  test('on a full disk writes into the room that is held for it, and says that nothing new should be taken on', () => {
    using small = disk();
    if (small === null) return;
    const { journal } = opened(small.path);
    journal.take({ payload, ticket: 't', bootId: 'b' }, accepted);
    small.fill();
    expect(journal.lack()).toBeNull();
    for (let count = 0; count < 50; count++) journal.report({ fact: { kind: 'cancel-heard', actionId, at: count } });
    expect(journal.lack()).toContain('ENOSPC');
    expect(existsSync(join(small.path, 'journal.reserve'))).toBe(false);
    journal.close();
    const again = opened(small.path);
    expect([again.droppedBytes, again.journal.owed().length]).toEqual([0, 51]);
    small.free();
    expect(again.journal.lack()).toBeNull();
    again.journal.close();
  });

  test('without any room takes nothing on and starts nothing, tells what ends, and writes it when there is room', () => {
    using small = disk();
    if (small === null) return;
    const told: (string | null)[] = [];
    const { journal } = opened(small.path, told);
    journal.take({ payload, ticket: 't', bootId: 'b' }, accepted);
    small.fill();
    rmSync(join(small.path, 'journal.reserve'));
    small.fill();
    const ended = { kind: 'action-ended', actionId, at: 1, how: 'done' } as const;
    // a page of the file may have room left
    for (let count = 0; told.length === 0; count++)
      journal.report({ fact: { kind: 'cancel-heard', actionId, at: count } });
    journal.report({ fact: ended });
    expect(told).toEqual([expect.stringContaining('ENOSPC')]);
    expect(() => journal.start({ fact: { kind: 'command-started', actionId, index: 0, at: 1 } })).toThrow('ENOSPC');
    const other = payloadOf(payload.commands);
    const taking = () =>
      journal.take({ payload: other, ticket: 't', bootId: 'b' }, { ...accepted, actionId: other.actionId });
    expect(taking).toThrow('ENOSPC');
    expect([journal.action(actionId)?.ended, journal.action(other.actionId)]).toEqual(['done', null]);
    const owed = journal.owed();
    expect(readdirSync(small.path).sort()).toEqual(['filler', 'journal.log']);
    small.free();
    taking();
    expect(told.at(-1)).toBeNull();
    journal.close();
    const again = opened(small.path);
    expect(again.droppedBytes).toBe(0);
    expect(again.journal.owed().slice(0, owed.length)).toEqual([...owed]);
    expect(again.journal.action(actionId)?.ended).toBe('done');
    expect(again.journal.action(other.actionId)?.ended).toBeNull();
    again.journal.close();
  });

  test('that cannot be rewritten is kept as it is', () => {
    using small = disk();
    if (small === null) return;
    const path = join(small.path, 'journal.log');
    const first = openJournal(fileDisk(path));
    for (let count = 0; count < 20; count++) first.journal.report({ fact: { ...accepted, at: count } });
    first.journal.close();
    small.fill();
    const bytes = readFileSync(path);
    const again = openJournal(fileDisk(path));
    expect(again.journal.owed()).toHaveLength(20);
    again.journal.close();
    expect(readFileSync(path)).toEqual(bytes);
    expect(readdirSync(small.path).sort()).toEqual(['filler', 'journal.log']);
  });
});

describe('the agent', () => {
  const GATED = '#!/bin/sh\necho begun > "$1.begun"\nuntil [ -e "$1" ]; do sleep 0.05; done\necho over\n';
  const start = (state: string) => startAgent(['--server', server.url, '--token', server.token, '--state', state]);
  const machine = async () => {
    await server.connected();
    return { machineId: MachineId.parse(server.machineId()) };
  };

  test('stays up on a full disk: what runs ends and is told, what is new is refused, and room heals it', async () => {
    using small = disk(4_096);
    if (small === null) return;
    await using agent = start(small.path);
    const to = await machine();
    const gate = join(folder.path, 'gate');
    const gated = { type: 'RunScript', scriptName: 'gated.sh', args: gate } as const;
    const running = payloadOf([ordered(gated, server.addFile(GATED))], { ...to, counter: 1 });
    server.offer(running);
    await until('the script', () => existsSync(`${gate}.begun`));
    small.fill();
    writeFileSync(gate, '');
    expect(await server.fact(running.actionId, 'command-finished')).toMatchObject({ outcome: 'Completed' });
    expect(await server.fact(running.actionId, 'action-ended')).toMatchObject({ how: 'done' });
    // whatever room was held or left is gone now
    await until('the reserve to be let go', () => {
      server.send({ type: 'cancel', actionId: newActionId(), reason: 'fills the journal', ticket: 't' });
      small.fill();
      return !existsSync(join(small.path, 'journal.reserve'));
    });
    const refused = payloadOf(running.commands, { ...to, counter: 2 });
    server.offer(refused);
    const { reason } = await server.fact(refused.actionId, 'refused');
    expect(reason).toContain('ENOSPC');
    expect(reason).toContain('free some of its disk');
    small.free();
    const last = payloadOf(running.commands, { ...to, counter: 3 });
    server.offer(last);
    expect(await server.fact(last.actionId, 'action-ended')).toMatchObject({ how: 'done' });
    agent.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
    await using again = start(small.path);
    await server.connected(2);
    expect(again.stderr()).not.toContain('torn');
  }, 30_000);

  test.each([
    ['full', 'ENOSPC'],
    ['readOnly', 'EROFS'],
  ] as const)('started on a disk that is %s: says so, and leaves nothing', async (kind, code) => {
    using small = disk();
    if (small === null) return;
    if (kind === 'full') small.fill();
    else small.readOnly();
    await using agent = start(small.path);
    expect(await agent.exited).not.toBe(0);
    expect(agent.stderr()).toContain(code);
    expect(agent.stderr()).toContain(small.path);
    const left = readdirSync(small.path, { recursive: true }).map(String);
    expect(left.filter((name) => name.includes('.new') || name.endsWith('.lock'))).toEqual([]);
  });

  test('with a state folder that others can look into: says so, and does not start', async () => {
    const state = join(folder.path, 'open');
    mkdirSync(state, { mode: 0o755 });
    await using agent = start(state);
    expect(await agent.exited).toBe(2);
    expect(agent.stderr()).toContain('chmod 700');
    expect(readdirSync(state)).toEqual([]);
  });
});
