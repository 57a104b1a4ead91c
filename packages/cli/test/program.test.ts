import { afterEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { apiError, limited } from '@longarm/testkit/rest-fixture';
import type { Command } from 'commander';
import { EXIT_CODES } from '../src/faults/exit-codes.ts';
import { longarmProgram } from '../src/longarm-program.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
const open = async (options: SessionOptions = {}): Promise<Session> => {
  const session = await openSession(options);
  sessions.push(session);
  return session;
};

test('the server gets its arguments untouched, help among them, and its exit code is ours', async () => {
  const seen: (readonly string[])[] = [];
  const runServer = async (argv: readonly string[]) => {
    seen.push(argv);
    return seen.length === 1 ? 0 : 42;
  };
  const session = await open({ runServer });
  expect((await session.bare('server', '--data', 'd', '--limit', 'sessions=1', '--json', 'x')).code).toBe(0);
  expect(await session.bare('server', '--help')).toEqual({ code: 42, out: '', err: '' });
  expect(seen).toEqual([['--data', 'd', '--limit', 'sessions=1', '--json', 'x'], ['--help']]);
});

test('help and version are answers, a command that does not exist is a wrong usage', async () => {
  const session = await open();
  const help = await session.bare('--help');
  expect(help).toMatchObject({ code: 0, err: '' });
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(help.out).toContain(`${code}  ${meaning}`);
  expect(await session.bare('--version')).toMatchObject({ code: 0, out: '0.1.0\n' });
  const unknown = await session.bare('machine');
  expect(unknown).toMatchObject({ code: 2, out: '' });
  expect(unknown.err).toContain("unknown command 'machine'");
});

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
const pathOf = (command: Command): string =>
  command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();

/** A program that only tells what it consists of. */
const describedProgram = (): Command => {
  const unused = async () => Promise.reject(new Error('not expected here'));
  const sink = { write: async () => {} };
  const world = { now: () => 0, after: () => () => {}, randomId: () => 'id' };
  const io = {
    ...{
      stdout: sink,
      stderr: sink,
      stdin: unused,
      promptSecret: unused,
      promptText: unused,
      transport: unused,
      world,
    },
    ...{ isTty: false, columns: 80, env: {}, homeFolder: '/', interruption: () => new AbortController().signal },
  };
  return longarmProgram({ runServer: unused, runFleet: unused, openAdmin: unused, openAuditFile: unused, io });
};

test('every command has examples in its help and stands in docs/cli.md', async () => {
  const session = await open();
  const docs = await Bun.file(join(import.meta.dir, '..', '..', '..', 'docs', 'cli.md')).text();
  const paths = leaves(describedProgram()).map(pathOf);
  expect(paths.length).toBeGreaterThanOrEqual(20);
  for (const path of paths) {
    expect(docs).toContain(`longarm ${path}`);
    if (path === 'server' || path === 'bench fleet') continue;
    expect((await session.bare(...path.split(' '), '--help')).out).toContain('Examples:\n  $ longarm');
  }
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(docs).toContain(`| ${code} | ${meaning} |`);
});

test('a refusal, a failure, a limit and silence have codes of their own and a next step', async () => {
  const session = await open({
    routes: {
      'GET /api/machines/forbidden': () => apiError(403, 'Forbidden', 'The token lacks the permission.'),
      'GET /api/machines/broken': () => apiError(500, 'InternalServerError', 'Broken \u001b[2J.'),
      'GET /api/machines/limited': () => limited('7'),
    },
  });
  const forbidden = await session.run('machines', 'get', 'forbidden');
  expect(forbidden).toMatchObject({ code: 3, out: '' });
  expect(forbidden.err).toContain('The token lacks the permission. (403 Forbidden, request b1b7c9a0');
  expect(forbidden.err).toContain('longarm app create');
  expect(await session.run('machines', 'get', 'broken')).toMatchObject({
    code: 6,
    err: expect.stringContaining('Broken \\x1b[2J.'),
  });
  expect(await session.run('machines', 'get', 'limited')).toMatchObject({
    code: 3,
    err: expect.stringContaining('--patience 8'),
  });
  await session.fixture.stop();
  expect(await session.run('machines')).toMatchObject({
    code: 4,
    err: expect.stringContaining('nothing accepts connections there'),
  });
});

test('without any server the next step is to sign in', async () => {
  const session = await open();
  expect(await session.bare('machines')).toMatchObject({ code: 2, err: expect.stringContaining('longarm login') });
});

test('the secret of the profile is never used for a server that is given', async () => {
  const session = await open();
  await session.bare(
    'login',
    '--server',
    session.fixture.url,
    '--client-id',
    'app',
    '--secret-file',
    join(session.folder, 'secret'),
  );
  const other = await session.bare('machines', '--server', 'https://127.0.0.1:1');
  expect(other).toMatchObject({ code: 2, err: expect.stringContaining('--client-id and --secret-file') });
  const orphan = await session.bare('machines', '--client-id', 'other');
  expect(orphan).toMatchObject({ code: 2, err: expect.stringContaining('--server, which is not given') });
});

test('a fleet gets its arguments untouched, too', async () => {
  const seen: (readonly string[])[] = [];
  const runFleet = async (argv: readonly string[]) => {
    seen.push(argv);
    return seen.length === 1 ? 0 : 2;
  };
  const session = await open({ runFleet });
  expect((await session.bare('bench', 'fleet', '--agents', '5', '--json')).code).toBe(0);
  expect(await session.bare('bench', 'fleet', '--help')).toEqual({ code: 2, out: '', err: '' });
  expect(seen).toEqual([['--agents', '5', '--json'], ['--help']]);
});
