import { afterEach, expect, test } from 'bun:test';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionEntity } from '@longarm/contract/action';
import { apiError, entityAnswer, type FixtureRoutes } from '@longarm/testkit/rest-fixture';
import { SAMPLE_ACTION_ID, sampleAction, sampleCommand } from '@longarm/testkit/sample-entities';
import type { Io } from '../src/world/io.ts';
import { openSession, type Session } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

const RUN = 'POST /api/machines/host1/runliveresponse';
const ACTION = `/api/machineactions/${SAMPLE_ACTION_ID}`;

const hash = (text: string): string => new Bun.CryptoHasher('sha256').update(text).digest('hex');
const result = (stream: string, text: string) => ({ stream, sha256: hash(text), sizeBytes: Buffer.byteLength(text) });

const STDOUT = 'hello\u001b[2J\n';
const COLLECTED = 'collected bytes';
const DOCUMENT = '{"script_name":"triage.sh","exit_code":0,"script_output":"hello","script_errors":""}';

const DONE = sampleAction({
  status: 'Succeeded',
  commands: [
    sampleCommand(
      0,
      { type: 'RunScript', params: { ScriptName: 'triage.sh' } },
      { commandStatus: 'Completed', exitCode: 0, results: [result('stdout', STDOUT), result('stderr', '')] },
    ),
    sampleCommand(
      1,
      { type: 'GetFile', params: { Path: 'C:\\temp\\..\\out.tgz' } },
      { commandStatus: 'Completed', results: [result('file', COLLECTED)] },
    ),
  ],
});

const BODIES: Readonly<Record<string, string>> = {
  '/r/0?': DOCUMENT,
  '/r/0?raw=1&stream=stdout': STDOUT,
  '/r/0?raw=1&stream=stderr': '',
  '/r/1?raw=1&stream=file': COLLECTED,
};

const events = (states: readonly ActionEntity[], end = true) =>
  new Response(
    states.map((state) => `event: action\ndata: ${JSON.stringify(state)}\n\n`).join('') +
      (end ? 'event: end\ndata: {}\n\n' : ''),
  );

const link =
  (index: number): FixtureRoutes[string] =>
  (request) =>
    Response.json({ '@odata.context': 'c', value: new URL(`/r/${index}`, request.url).href });

const body = (request: Request): Response => {
  const { pathname, search } = new URL(request.url);
  return new Response(BODIES[`${pathname}${search === '' ? '?' : search}`] ?? 'wrong form');
};

const routes: FixtureRoutes = {
  [RUN]: () => entityAnswer('MachineActions', sampleAction()),
  [`GET ${ACTION}/events`]: () => events([sampleAction(), DONE]),
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=0)`]: link(0),
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=1)`]: link(1),
  'GET /r/0': body,
  'GET /r/1': body,
};

const open = async (more: FixtureRoutes = {}, io: Partial<Io> = {}): Promise<Session> => {
  const session = await openSession({ routes: { ...routes, ...more }, io });
  sessions.push(session);
  return session;
};

const runHost1 = (session: Session, ...more: string[]) =>
  session.run('run', 'host1', '--script', 'triage.sh', '--get', 'out.tgz', '--comment', 'why', ...more);

test('the sequence is sent in the order in which it was given, with a key of its own', async () => {
  let sent: unknown;
  const session = await open({
    [RUN]: (request, bytes) => {
      sent = [request.headers.get('idempotency-key'), JSON.parse(new TextDecoder().decode(bytes))];
      return entityAnswer('MachineActions', sampleAction());
    },
  });
  const sequence = ['--get', '/a', '--put', 'b,keep', '--script', 'c.sh', '--args', '--days "7 8"', '--get', '/d'];
  const { code, out } = await session.run('run', 'host1', ...sequence, '--comment', 'why', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out).id).toBe(SAMPLE_ACTION_ID);
  expect(sent).toEqual([
    expect.stringMatching(/^id-\d+$/),
    {
      Commands: [
        { type: 'GetFile', params: [{ key: 'Path', value: '/a' }] },
        {
          type: 'PutFile',
          params: [
            { key: 'FileName', value: 'b' },
            { key: 'Keep', value: 'true' },
          ],
        },
        {
          type: 'RunScript',
          params: [
            { key: 'ScriptName', value: 'c.sh' },
            { key: 'Args', value: '--days "7 8"' },
          ],
        },
        { type: 'GetFile', params: [{ key: 'Path', value: '/d' }] },
      ],
      Comment: 'why',
    },
  ]);
});

test('waiting shows each change and saves every result under a safe name, checked', async () => {
  const session = await open();
  const folder = join(session.folder, 'results');
  const { code, out, err } = await runHost1(session, '--wait', '--out', folder);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.replaceAll(folder, 'DIR').split('\n')).toEqual([
    `action ${SAMPLE_ACTION_ID}`,
    'Pending: waiting for host1.lab.example',
    '[0] RunScript triage.sh: completed, exit code 0',
    '[1] GetFile C:\\temp\\..\\out.tgz: completed',
    'Succeeded',
    'saved DIR/0-triage.sh.json  84 B',
    `saved DIR/0-triage.sh.stdout.txt  10 B  sha256 ${hash(STDOUT)}`,
    `saved DIR/0-triage.sh.stderr.txt  0 B  sha256 ${hash('')}`,
    '--- stdout of command 0',
    'hello\\x1b[2J',
    `saved DIR/out.tgz  15 B  sha256 ${hash(COLLECTED)}`,
    '',
  ]);
  expect(await readFile(join(folder, '0-triage.sh.json'), 'utf8')).toBe(DOCUMENT);
  expect(await readFile(join(folder, '0-triage.sh.stdout.txt'), 'utf8')).toBe(STDOUT);
  expect(await readFile(join(folder, 'out.tgz'), 'utf8')).toBe(COLLECTED);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test('results that are there already are not replaced', async () => {
  const session = await open();
  const folder = join(session.folder, 'results');
  await runHost1(session, '--wait', '--out', folder);
  await runHost1(session, '--wait', '--out', folder);
  expect((await readdir(folder)).sort()).toEqual([
    '0-triage.sh-2.json',
    '0-triage.sh.json',
    '0-triage.sh.stderr-2.txt',
    '0-triage.sh.stderr.txt',
    '0-triage.sh.stdout-2.txt',
    '0-triage.sh.stdout.txt',
    'out-2.tgz',
    'out.tgz',
  ]);
});

test('--raw shows output as it came, --json gives lines of JSON and nothing else', async () => {
  const session = await open();
  expect((await runHost1(session, '--wait', '--raw', '--out', join(session.folder, 'a'))).out).toContain(STDOUT);
  const { out } = await runHost1(session, '--wait', '--json', '--out', join(session.folder, 'b'));
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.event)).toEqual(['action', 'action', 'result', 'result', 'result', 'result']);
  expect(lines.at(-1)).toEqual({
    event: 'result',
    index: 1,
    form: 'file',
    path: join(session.folder, 'b', 'out.tgz'),
    sizeBytes: 15,
    sha256: hash(COLLECTED),
  });
});

test('a collected file that is not what the action says is not kept', async () => {
  const session = await open({ 'GET /r/1': () => new Response('tampered bytes!') });
  const folder = join(session.folder, 'results');
  const { code, err } = await runHost1(session, '--wait', '--out', folder);
  expect(code).toBe(7);
  expect(err).toContain(hash(COLLECTED));
  expect(await readdir(folder)).not.toContain('out.tgz');
});

test('a result that cannot be had does not keep the others back', async () => {
  const session = await open({ 'GET /r/0': () => apiError(404, 'ResourceNotFound', 'It was deleted.') });
  const folder = join(session.folder, 'results');
  const { code, err } = await runHost1(session, '--wait', '--out', folder);
  expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('It was deleted.') });
  expect(await readdir(folder)).toEqual(['out.tgz']);
});

test('a request whose answer was lost is made again with the same key', async () => {
  const keys: (string | null)[] = [];
  const transport: Io['transport'] = async (url, init) => {
    const response = await fetch(url, init);
    if (!url.endsWith('/runliveresponse')) return response;
    keys.push(new Headers(init.headers).get('idempotency-key'));
    if (keys.length === 1) throw Object.assign(new TypeError('cut'), { code: 'ECONNRESET' });
    return response;
  };
  const session = await open({}, { transport });
  expect((await runHost1(session)).code).toBe(0);
  expect(keys).toHaveLength(2);
  expect(keys[1]).toBe(keys[0] ?? '');
});

test('an action that ends otherwise is told by the exit code, and what it left is saved all the same', async () => {
  const failed: ActionEntity = { ...DONE, status: 'Failed', troubleshootInfo: 'command 1 failed' };
  const session = await open({ [`GET ${ACTION}/events`]: () => events([failed]) });
  const { code, out, err } = await runHost1(session, '--wait', '--out', join(session.folder, 'r'));
  expect(code).toBe(1);
  expect(out).toContain('Failed: command 1 failed');
  expect(out).toContain('out.tgz');
  expect(err).toContain('ended as Failed');
});

/** An event stream that says one thing and stays open. */
const hanging = (): Response => {
  const start = (controller: ReadableStreamDefaultController) => {
    controller.enqueue(new TextEncoder().encode(`event: action\ndata: ${JSON.stringify(sampleAction())}\n\n`));
  };
  return new Response(new ReadableStream({ start }));
};

test('the time to wait ends with a code of its own, and the action goes on', async () => {
  const session = await open({ [`GET ${ACTION}/events`]: hanging });
  const ending = runHost1(session, '--wait-seconds', '30');
  await session.written('Pending');
  session.world.advance(30_000);
  expect(await ending).toMatchObject({ code: 5, err: expect.stringContaining(`longarm cancel ${SAMPLE_ACTION_ID}`) });
});

test('Ctrl-C ends the waiting, not the action', async () => {
  const session = await open({ [`GET ${ACTION}/events`]: hanging });
  const ending = runHost1(session, '--wait');
  await session.written('Pending');
  session.interrupt();
  expect(await ending).toMatchObject({ code: 130, err: expect.stringContaining('goes on') });
});

test('on a terminal one line lives, and it is gone at the end', async () => {
  const session = await open(
    { [`GET ${ACTION}/events`]: hanging },
    { isTty: true, columns: 40, env: { NO_COLOR: '1' } },
  );
  const ending = runHost1(session, '--wait-seconds', '30');
  await session.written('waiting');
  await session.world.timerOf(120);
  session.world.advance(12_000);
  await session.written('12 s');
  session.world.advance(18_000);
  const { out } = await ending;
  const clear = '\r\u001b[2K';
  for (const line of out.split(clear).slice(1)) expect(Bun.stringWidth(line)).toBeLessThan(40);
  expect(out.endsWith(clear)).toBe(true);
});

test('a busy device is a refusal that says what to do', async () => {
  const busy = () => apiError(400, 'ActiveRequestAlreadyExists', 'Action 123 is not final.');
  const session = await open({ [RUN]: busy });
  expect(await runHost1(session)).toMatchObject({ code: 3, err: expect.stringContaining('longarm cancel') });
});

test('a sequence that makes no sense is a wrong usage, and nothing is sent', async () => {
  const session = await open();
  const comment = ['--comment', 'why'];
  expect((await session.run('run', 'host1', ...comment)).code).toBe(2);
  expect((await session.run('run', 'host1', '--args', 'x', '--script', 'a', ...comment)).code).toBe(2);
  expect((await session.run('run', 'host1', '--script', 'a')).code).toBe(2);
  const idle = await session.run('run', 'host1', '--script', 'a', '--out', 'x', ...comment);
  expect(idle).toMatchObject({ code: 2, err: expect.stringContaining('--wait') });
  expect(session.fixture.requests).toEqual([]);
});

const outputEvent = (stream: string, offset: number, text: string, id: string) =>
  `event: output\nid: ${id}\ndata: ${JSON.stringify({ stream, offset, text })}\n\n`;
const OUTPUT = `GET ${ACTION}/commands/0/output`;

test('--follow shows output as it comes, a hole in it too, resumes a cut stream, and shows it once', async () => {
  const asked: (string | null)[] = [];
  const session = await open({
    [OUTPUT]: (request) => {
      asked.push(request.headers.get('last-event-id'));
      if (asked.length === 1) return new Response(outputEvent('stdout', 0, 'one\u001b[2J', '7-0'));
      const hole = outputEvent('stdout', 1_007, 'two\r', '1011-0');
      return new Response(`${hole}${outputEvent('stderr', 0, 'bad\n', '1011-4')}event: end\nid: 1011-4\ndata: {}\n\n`);
    },
  });
  const ending = runHost1(session, '--follow', '--out', join(session.folder, 'f'));
  await session.world.timerOf(250);
  session.world.advance(250);
  const { code, out, err } = await ending;
  expect(code).toBe(0);
  expect(asked).toEqual([null, '7-0']);
  expect(out).toContain('one\\x1b[2J');
  expect(out).toContain('\n[1000 bytes are not kept]\ntwo\\x0d');
  expect(out).not.toContain('--- stdout');
  expect(err).toBe('bad\n');
});

test('longarm output: of a command that runs only with --follow', async () => {
  const running = sampleAction({
    status: 'InProgress',
    commands: [sampleCommand(0, { type: 'RunScript', params: {} }, { commandStatus: 'Executing' })],
  });
  const session = await open({
    [`GET ${ACTION}`]: () => entityAnswer('MachineActions', running),
    [OUTPUT]: () => new Response(`${outputEvent('stdout', 0, 'x', '1-0')}event: end\ndata: {}\n\n`),
  });
  const refused = await session.run('output', SAMPLE_ACTION_ID, '0');
  expect(refused).toMatchObject({ out: '', err: expect.stringContaining('--follow') });
  expect(refused.code).not.toBe(0);
  expect(await session.run('output', SAMPLE_ACTION_ID, '0', '--follow', '--json')).toMatchObject({
    code: 0,
    out: '{"event":"output","index":0,"stream":"stdout","offset":0,"text":"x"}\n',
  });
});
