import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@longarm/contract/commands/index';
import { commandRun, commandWorld, openGuard } from '../../test/command-world.ts';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { newActionId, ordered, sha256Of } from '../../test/sealed-envelope.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { runCommand } from '../commands/index.ts';
import { guard } from './guard.ts';
import { PolicyFault, readPolicyText } from './policy.ts';

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

const at = (name: string) => join(realpathSync(folder.path), name);
const under = (policy: object) =>
  commandWorld(folder.path, server, {
    guard: openGuard(
      readPolicyText(JSON.stringify({ version: 1, ...policy }), {
        form: { isWindows: false, ignoresCase: false },
        requireSignatures: false,
      }),
    ),
  });
const collect = (world: ReturnType<typeof under>, path: string, actionId = newActionId()) =>
  runCommand(world, commandRun({ type: 'GetFile', path }, { actionId }));

test('each rule refuses with its name, and nothing is asked of the server', async () => {
  const script: Command = { type: 'RunScript', scriptName: 'a.sh', args: '' };
  const put: Command = { type: 'PutFile', fileName: 'a.zip', overwrite: true, keep: false };
  const get: Command = { type: 'GetFile', path: '/etc/hostname' };
  const cases: [object, Command, string][] = [
    [{ commands: ['GetFile'] }, script, 'rule commands: RunScript is not listed'],
    [{ scripts: 'off' }, script, 'rule scripts: it is off'],
    [{ putFile: { files: 'off' } }, put, 'rule putFile.files: it is off'],
    [{ putFile: { names: ['*.sh', 'b.zip'] } }, put, 'rule putFile.names'],
    [{ quietHours: [{ from: '11:00', to: '13:00' }] }, get, 'rule quietHours: nothing starts from 11:00 to 13:00'],
    [{ getFile: { allow: [] } }, get, 'rule getFile.allow'],
  ];
  let requests = 0;
  server.settings.intercept = () => {
    requests++;
    return null;
  };
  for (const [policy, command, sentence] of cases) {
    const file = command.type === 'GetFile' ? null : { sha256: sha256Of('x'), sizeBytes: 1 };
    const end = await runCommand(under(policy), commandRun(ordered(command, file)));
    expect(end).toMatchObject({ outcome: 'Failed', results: [], errors: [expect.stringContaining(sentence)] });
  }
  expect(requests).toBe(0);
});

test('a path is judged where the file really lies', async () => {
  mkdirSync(at('open'));
  mkdirSync(at('closed'));
  writeFileSync(at('closed/x'), 'secret');
  writeFileSync(at('open/y'), 'fine');
  symlinkSync(at('closed/x'), at('open/link'));
  symlinkSync(at('closed'), at('open/folder'));
  symlinkSync(at('open'), at('closed/out'));
  const world = under({ getFile: { allow: [at('open/**')], deny: [at('closed/**')] } });
  for (const path of ['open/link', 'open/folder/x', 'open/../closed/x', 'closed/x'])
    expect(await collect(world, at(path))).toMatchObject({ errors: [expect.stringContaining('rule getFile.deny')] });
  expect(await collect(world, at('closed/out/y'))).toMatchObject({ outcome: 'Completed' });
});

test('bytes of a file, and of an action with what it has taken already', async () => {
  writeFileSync(at('ten'), '0123456789');
  expect(await collect(under({ getFile: { maxFileBytes: 9 } }), at('ten'))).toMatchObject({
    errors: [
      expect.stringContaining("expected at most 9 bytes, it has 10 (this device's policy, rule getFile.maxFileBytes)"),
    ],
  });
  const world = under({ getFile: { maxFileBytes: 10, maxActionBytes: 25 } });
  const actionId = newActionId();
  const ends = [];
  for (let round = 0; round < 3; round++) ends.push(await collect(world, at('ten'), actionId));
  expect(ends.map(({ outcome }) => outcome)).toEqual(['Completed', 'Completed', 'Failed']);
  expect(ends[2]?.errors[0]).toContain(
    "at most 5 bytes, it has 10 (this device's policy, rule getFile.maxActionBytes)",
  );
  expect(await collect(world, at('ten'))).toMatchObject({ outcome: 'Completed' });
});

test('a policy that cannot be obeyed admits nothing and starts nothing', () => {
  const closed = guard({
    source: {
      read: () => {
        throw new PolicyFault('it is broken');
      },
    },
    form: { isWindows: false, ignoresCase: false },
    bearings: () => {
      throw new Error('not asked');
    },
    localTime: () => ({ day: 0, minute: 0 }),
  });
  expect(closed.admit({ actionId: newActionId(), ordered: ordered({ type: 'GetFile', path: '/x' }) })).toEqual({
    refusal: 'it is broken',
  });
  expect(closed.spawnFault()).toBe('it is broken');
});

test('what starts processes asks again: no script starts where scripts are off, however it was admitted', async () => {
  const world = commandWorld(folder.path, server);
  const off = openGuard(
    readPolicyText('{"version":1,"scripts":"off"}', {
      form: { isWindows: false, ignoresCase: false },
      requireSignatures: false,
    }),
  );
  const content = `touch ${at('ran')}\n`;
  const file = server.addFile(content);
  const run = commandRun(ordered({ type: 'RunScript', scriptName: 'a.sh', args: '' }, file));
  const end = await runCommand({ ...world, process: { ...world.process, spawnFault: off.spawnFault } }, run);
  expect(end).toMatchObject({ outcome: 'Failed', errors: [expect.stringContaining('rule scripts: it is off')] });
  expect(existsSync(at('ran'))).toBe(false);
});
