import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MachineId } from '@longarm/contract/ids';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import { makeLoopbackCertificate } from '../../testkit/src/loopback-certificate.ts';
import { startAgent } from '../test/agent-process.ts';
import { type LoopbackServer, startLoopbackServer } from '../test/loopback-server.ts';
import { ordered, payloadOf } from '../test/sealed-envelope.ts';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { until } from '../test/until.ts';
import { openLogFile } from './journal/log-file.ts';
import { fileDisk } from './platform/log-disk.ts';
import { thisPlatform } from './platform/this-platform.ts';

const platform = thisPlatform(process.platform);
const isLinux = process.platform === 'linux';
const isRunning = (pid: number) => platform.startTimeOf(pid) !== null;

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let agents: ReturnType<typeof startAgent>[];

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  agents = [];
});
afterEach(async () => {
  for (const agent of agents) await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const run = (args: readonly string[], environment = {}) => {
  const agent = startAgent(args, environment);
  agents.push(agent);
  return agent;
};
const first = () => run(['--server', server.url, '--state', folder.path, '--token', server.token]);
const again = () => run(['--state', folder.path]);

const script = (text: string, seconds = 60) =>
  ordered({ type: 'RunScript', scriptName: 'a.sh', args: folder.path }, server.addFile(text), seconds);

const offer = async (commands: EnvelopePayload['commands'], changes: Partial<EnvelopePayload> = {}) => {
  await server.connected();
  const payload = payloadOf(commands, { machineId: MachineId.parse(server.machineId()), ...changes });
  server.offer(payload);
  return payload.actionId;
};

const pidIn = (name: string) =>
  until(`a pid in ${name}`, () => {
    const path = join(folder.path, name);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return /^\d+\n$/.test(text) ? Number(text) : null;
  });

const kindsOf = (actionId: string) => {
  const facts = server.reports.filter(({ fact }) => fact.actionId === actionId);
  // what was sent again after a reconnection counts once
  return [...new Map(facts.map(({ sequence, fact }) => [sequence, fact.kind])).values()];
};

describe('from the command line', () => {
  test('help and version', async () => {
    const help = run(['--help']);
    expect(await help.exited).toBe(0);
    expect(help.stdout()).toContain('--token-file');
    expect(await run(['--version']).exited).toBe(0);
  });

  test('bad input is a sentence and exit 2', async () => {
    const agent = run(['--nonsense']);
    expect(await agent.exited).toBe(2);
    expect(agent.stderr()).toContain('longarm-agent: expected an option, got "--nonsense"');
  });

  test('a state folder that others can look into is refused', async () => {
    chmodSync(folder.path, 0o750);
    const agent = first();
    expect(await agent.exited).toBe(2);
    expect(agent.stderr()).toContain('mode 0750');
  });

  test('it does not start under variables that would take it over', async () => {
    const agent = run(['--state', folder.path], { BUN_OPTIONS: '--smol' });
    expect(await agent.exited).toBe(2);
    expect(agent.stderr()).toContain('BUN_OPTIONS');
  });

  test('a second agent in the same state folder is refused, and the first goes on', async () => {
    const agent = first();
    await server.connected();
    const second = again();
    expect(await second.exited).toBe(1);
    expect(second.stderr()).toContain(`another agent (process ${agent.pid})`);
    expect(isRunning(agent.pid)).toBe(true);
  });
});

test('it enrols once, says when it is connected, and needs no token later', async () => {
  const agent = first();
  await server.connected();
  await until('the line', () => agent.stdout() === `connected as ${server.machineId()}\n`);
  agent.kill('SIGTERM');
  expect(await agent.exited).toBe(0);
  again();
  await server.connected(2);
  expect(readdirSync(folder.path)).toContain('journal.log');
});

test('over TLS of the server’s own making', async () => {
  await using secure = startLoopbackServer(await makeLoopbackCertificate(Date.now()));
  run(['--server', secure.url, '--state', folder.path, '--token', secure.token]);
  await secure.connected();
});

test('a whole action: put, run, collect, each told in its order', async () => {
  first();
  const put = { type: 'PutFile', fileName: 'data', overwrite: true, keep: false } as const;
  const actionId = await offer([
    ordered(put, server.addFile('put here')),
    script('cat data; cp data copy; echo done >&2'),
    ordered({ type: 'GetFile', path: 'copy' }),
  ]);
  expect(await server.fact(actionId, 'action-ended')).toMatchObject({ how: 'done' });
  const command = ['command-started', 'command-finished'] as const;
  expect(kindsOf(actionId)).toEqual(['accepted', ...command, ...command, ...command, 'action-ended']);
  expect(server.upload(actionId, 1, 'stdout')).toBe('put here');
  expect(server.upload(actionId, 1, 'stderr')).toBe('done\n');
  expect(server.upload(actionId, 2, 'file')).toBe('put here');
  await until('an empty spool', () => readdirSync(join(folder.path, 'spool')).length === 0);
});

test('after a failed command the rest is left alone', async () => {
  first();
  const actionId = await offer([ordered({ type: 'GetFile', path: '/no/such/file' }), script('touch $1/ran')]);
  await server.fact(actionId, 'action-ended');
  expect(kindsOf(actionId)).toEqual(['accepted', 'command-started', 'command-finished', 'action-ended']);
  expect(existsSync(join(folder.path, 'ran'))).toBe(false);
});

test('a command past its time limit is ended and told', async () => {
  first();
  const actionId = await offer([script('echo so far; sleep 300', 3)]);
  expect(await server.fact(actionId, 'command-finished')).toMatchObject({
    outcome: 'Failed',
    errors: ['timed out after 3 s'],
    exitCode: 143,
  });
  expect(server.upload(actionId, 0, 'stdout')).toBe('so far\n');
});

test('two actions run one after the other, in their order', async () => {
  first();
  const text = 'echo begin >> $1/order; sleep 0.05; echo end >> $1/order';
  await offer([script(text)]);
  const second = await offer([script(text)]);
  await server.fact(second, 'action-ended');
  expect(readFileSync(join(folder.path, 'order'), 'utf8')).toBe('begin\nend\nbegin\nend\n');
});

test('an offer made twice is executed once', async () => {
  first();
  await server.connected();
  const payload = payloadOf([script('echo ran >> $1/ran')], { machineId: MachineId.parse(server.machineId()) });
  server.offer(payload);
  server.offer(payload);
  await server.fact(payload.actionId, 'action-ended');
  server.offer(payload);
  await until(
    'the end told again',
    () => kindsOf(payload.actionId).filter((kind) => kind === 'action-ended').length > 1,
  );
  expect(readFileSync(join(folder.path, 'ran'), 'utf8')).toBe('ran\n');
});

test('a cancel is heard, stops the tree, and leaves what was said so far', async () => {
  first();
  const actionId = await offer([script('sleep 300 & echo $! > $1/child; echo so far; wait'), script('touch $1/ran')]);
  const child = await pidIn('child');
  server.send({ type: 'cancel', actionId, reason: 'enough', ticket: 'ticket' });
  expect(await server.fact(actionId, 'action-ended')).toMatchObject({ how: 'cancelled' });
  expect(await server.fact(actionId, 'command-finished')).toMatchObject({ outcome: 'Failed', errors: ['cancelled'] });
  expect(kindsOf(actionId)).toEqual([
    'accepted',
    'command-started',
    'cancel-heard',
    'command-finished',
    'action-ended',
  ]);
  expect(server.upload(actionId, 0, 'stdout')).toBe('so far\n');
  expect(isRunning(child)).toBe(false);
  expect(existsSync(join(folder.path, 'ran'))).toBe(false);
});

test('while the server is away the action goes on, and is told afterwards', async () => {
  first();
  let isAway = false;
  server.settings.intercept = () => (isAway ? new Response(null, { status: 503 }) : null);
  const actionId = await offer([script('echo $$ > $1/started; until [ -e $1/go ]; do sleep 0.02; done; echo through')]);
  await pidIn('started');
  isAway = true;
  server.cut();
  writeFileSync(join(folder.path, 'go'), '');
  await agents[0]?.logged('action ended');
  isAway = false;
  await server.fact(actionId, 'action-ended');
  expect(server.upload(actionId, 0, 'stdout')).toBe('through\n');
  const prove = server.frames.filter((frame) => frame.type === 'prove').at(-1);
  expect<readonly string[] | undefined>(prove?.journaled).toEqual([actionId]);
});

describe('killed in the middle', () => {
  const stubborn =
    'trap "" TERM; echo $$ > $1/main; setsid sleep 301 & echo $! > $1/stray; echo so far; wait; sleep 300';

  test.if(isLinux)(
    'the next start ends what survived, tells the interruption, and runs nothing twice',
    async () => {
      const agent = first();
      const actionId = await offer([script(`echo ran >> $1/ran; ${stubborn}`), script('touch $1/next')]);
      const [main, stray] = [await pidIn('main'), await pidIn('stray')];
      const spool = join(folder.path, 'spool', `${actionId}-0-stdout`);
      await until('the output in the spool', () => (readFileSync(spool, 'utf8') === 'so far\n' ? true : null));
      agent.kill('SIGKILL');
      await agent.exited;
      expect([isRunning(main), isRunning(stray)]).toEqual([true, true]);
      again();
      expect(await server.fact(actionId, 'action-ended')).toMatchObject({ how: 'interrupted' });
      expect([isRunning(main), isRunning(stray)]).toEqual([false, false]);
      expect(await server.fact(actionId, 'command-finished')).toMatchObject({
        index: 0,
        outcome: 'Failed',
        errors: ['interrupted: the agent restarted'],
      });
      expect(server.upload(actionId, 0, 'stdout')).toBe('so far\n');
      expect(readFileSync(join(folder.path, 'ran'), 'utf8')).toBe('ran\n');
      expect(existsSync(join(folder.path, 'next'))).toBe(false);
    },
    20_000,
  );

  test('a stop by signal ends the script first, and the next start tells it', async () => {
    const agent = first();
    const actionId = await offer([script('echo $$ > $1/main; echo so far; sleep 300')]);
    const main = await pidIn('main');
    agent.kill('SIGTERM');
    expect(await agent.exited).toBe(0);
    expect(isRunning(main)).toBe(false);
    expect(kindsOf(actionId)).toEqual(['accepted', 'command-started']);
    again();
    expect(await server.fact(actionId, 'action-ended')).toMatchObject({ how: 'interrupted' });
    expect(server.upload(actionId, 0, 'stdout')).toBe('so far\n');
  });

  test('before the server acknowledged: everything is told again, with the same numbers', async () => {
    server.settings.acknowledges = false;
    const agent = first();
    const actionId = await offer([script('echo out')]);
    await server.fact(actionId, 'action-ended');
    const before = server.reports.map(({ sequence, fact }) => ({ sequence, fact }));
    agent.kill('SIGKILL');
    await agent.exited;
    server.reports.length = 0;
    server.uploads.clear();
    again();
    await server.fact(actionId, 'action-ended');
    expect(server.reports.map(({ sequence, fact }) => ({ sequence, fact }))).toEqual(before);
  });

  test('with the journal of another version: it says so, leaves it as it is, and is not to be started again', async () => {
    const agent = first();
    await server.connected();
    agent.kill('SIGTERM');
    await agent.exited;
    const path = join(folder.path, 'journal.log');
    const { file } = openLogFile(fileDisk(path));
    file.append(JSON.stringify([{ kind: 'server-time', at: 1, byThe: 'next version' }]), true);
    file.close();
    const before = readFileSync(path);
    const next = again();
    expect(await next.exited).toBe(2);
    expect(next.stderr()).toMatch(/journal\.log: expected records that this agent understands, got .*byThe/);
    expect(readFileSync(path)).toEqual(before);
  });

  test('with a torn journal: what was whole is known, and the rest is said to be dropped', async () => {
    const agent = first();
    const actionId = await offer([script('echo out')]);
    await server.fact(actionId, 'action-ended');
    agent.kill('SIGKILL');
    await agent.exited;
    appendFileSync(join(folder.path, 'journal.log'), 'half a rec');
    const next = again();
    await server.connected(2);
    expect(next.stderr()).toContain('droppedBytes=10');
  });
});
