import { afterEach, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiError, entityAnswer, type FixtureRoutes, pageAnswer } from '@longarm/testkit/rest-fixture';
import {
  SAMPLE_ACTION_ID,
  SAMPLE_MACHINE_ID,
  sampleAction,
  sampleCommand,
  sampleMachine,
} from '@longarm/testkit/sample-entities';
import { openSession, type Session } from './session.ts';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});
const open = async (routes: FixtureRoutes): Promise<Session> => {
  const session = await openSession({ routes });
  sessions.push(session);
  return session;
};

const ACTION = `/api/machineactions/${SAMPLE_ACTION_ID}`;
const lastQuery = (session: Session) =>
  new URL(session.fixture.requests.at(-1)?.replace('GET ', 'http://x') ?? '').searchParams;

test('actions are listed, filtered by machine and state, a bounded number of them', async () => {
  const session = await open({
    'GET /api/machineactions': () => pageAnswer('MachineActions', [sampleAction()]),
    'GET /api/machines/host1': () => entityAnswer('Machines', sampleMachine()),
  });
  expect((await session.run('actions')).out).toContain(
    `${SAMPLE_ACTION_ID}  Pending  host1.lab.example  30 min ago  RunScript  triage-bot  case 4711`,
  );
  expect(lastQuery(session).get('$top')).toBe('50');
  await session.run('actions', '--machine', 'host1', '--status', 'Failed', '--top', '3');
  expect(lastQuery(session).get('$filter')).toBe(`(machineId eq '${SAMPLE_MACHINE_ID}') and (status eq 'Failed')`);
  expect((await session.run('actions', '--status', 'Canceled')).code).toBe(2);
});

test('one action is shown with its commands, and cancelled with a reason', async () => {
  let comment: unknown;
  const session = await open({
    [`GET ${ACTION}`]: () => entityAnswer('MachineActions', sampleAction({ requestorComment: 'x\u001b]0;y' })),
    [`POST ${ACTION}/cancel`]: (_, body) => {
      comment = JSON.parse(new TextDecoder().decode(body));
      const cancelled = { status: 'Cancelled', cancellationState: 'Requested', cancellationRequestor: 'me' } as const;
      return entityAnswer('MachineActions', sampleAction({ ...cancelled, cancellationComment: 'wrong device' }));
    },
  });
  const shown = await session.run('actions', 'get', SAMPLE_ACTION_ID);
  expect(shown.out).toContain('comment    x\\x1b]0;y\n');
  expect(shown.out).toContain('0  RunScript  ScriptName=triage.sh Args=-days 7  Created');
  const cancelled = await session.run('cancel', SAMPLE_ACTION_ID, '--comment', 'wrong device');
  expect(cancelled.out).toContain('cancellation  Requested, by me: wrong device');
  expect(comment).toEqual({ Comment: 'wrong device' });
  expect((await session.run('cancel', SAMPLE_ACTION_ID)).code).toBe(2);
});

const hash = (text: string): string => new Bun.CryptoHasher('sha256').update(text).digest('hex');
const result = (stream: string, text: string) => ({ stream, sha256: hash(text), sizeBytes: text.length });
const BODIES: Readonly<Record<string, string>> = {
  '/r/0?': '{"script_name":"a.sh"}',
  '/r/0?raw=1&stream=stdout': 'out\u001b[1m\n',
  '/r/0?raw=1&stream=stderr': 'err\n',
  '/r/1?raw=1&stream=file': 'bytes',
};

const link =
  (index: number): FixtureRoutes[string] =>
  (request) =>
    Response.json({ '@odata.context': 'c', value: new URL(`/r/${index}`, request.url).href });
const body = (request: Request): Response => {
  const { pathname, search } = new URL(request.url);
  return new Response(BODIES[`${pathname}${search === '' ? '?' : search}`] ?? 'wrong form');
};

const resultRoutes: FixtureRoutes = {
  [`GET ${ACTION}`]: () =>
    entityAnswer(
      'MachineActions',
      sampleAction({
        commands: [
          sampleCommand(
            0,
            { type: 'RunScript', params: { ScriptName: 'a.sh' } },
            { results: [result('stdout', 'out\u001b[1m\n'), result('stderr', 'err\n')] },
          ),
          sampleCommand(1, { type: 'GetFile', params: { Path: '/x/f.bin' } }, { results: [result('file', 'bytes')] }),
          sampleCommand(2, { type: 'PutFile', params: { FileName: 'p' } }),
        ],
      }),
    ),
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=0)`]: link(0),
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=1)`]: link(1),
  [`GET ${ACTION}/GetLiveResponseResultDownloadLink(index=2)`]: () =>
    apiError(404, 'ResourceNotFound', 'PutFile leaves no result.'),
  'GET /r/0': body,
  'GET /r/1': body,
};

test("a script's output and errors are shown, visible, raw, or as the document", async () => {
  const session = await open(resultRoutes);
  const show = (...more: string[]) => session.run('result', SAMPLE_ACTION_ID, '0', ...more);
  expect(await show()).toEqual({ code: 0, out: 'out\\x1b[1m\n', err: 'err\n' });
  expect(await show('--raw')).toEqual({ code: 0, out: 'out\u001b[1m\n', err: 'err\n' });
  expect(await show('--json')).toEqual({ code: 0, out: '{"script_name":"a.sh"}', err: '' });
  const path = join(session.folder, 'out.json');
  expect((await show('--out', path)).code).toBe(0);
  expect(await readFile(path, 'utf8')).toBe('{"script_name":"a.sh"}');
});

test('a collected file is saved or streamed, and checked', async () => {
  const session = await open(resultRoutes);
  const path = join(session.folder, 'f.bin');
  const saved = await session.run('result', SAMPLE_ACTION_ID, '1', '--out', path);
  expect(saved.out).toBe(`saved ${path}  5 B  sha256 ${hash('bytes')}\n`);
  expect(await readFile(path, 'utf8')).toBe('bytes');
  expect((await session.run('result', SAMPLE_ACTION_ID, '1', '--out', path)).code).toBe(7);
  expect((await session.run('result', SAMPLE_ACTION_ID, '1', '--out', '-')).out).toBe('bytes');
  expect((await session.run('result', SAMPLE_ACTION_ID, '1', '--out', '-', '--json')).code).toBe(2);
});

test('a command without a result, and one that does not exist, are refused in a sentence', async () => {
  const session = await open(resultRoutes);
  expect(await session.run('result', SAMPLE_ACTION_ID, '2')).toMatchObject({
    code: 3,
    err: expect.stringContaining('PutFile leaves no result.'),
  });
  expect(await session.run('result', SAMPLE_ACTION_ID, '9')).toMatchObject({
    code: 3,
    err: expect.stringContaining('3 commands'),
  });
  expect((await session.run('result', SAMPLE_ACTION_ID, '-1')).code).toBe(2);
});

test('an action that waits is approved or denied with a reason, and says so', async () => {
  const reasons: unknown[] = [];
  const decided = (approvalState: 'Approved' | 'Denied') => (_: Request, body: Uint8Array) => {
    reasons.push(JSON.parse(new TextDecoder().decode(body)));
    const approval = { approvalState, approver: 'lea', approvalReason: 'read it\u001b' } as const;
    return entityAnswer('MachineActions', sampleAction(approval));
  };
  const session = await open({
    [`GET ${ACTION}`]: () => entityAnswer('MachineActions', sampleAction({ approvalState: 'Required' })),
    [`POST ${ACTION}/approve`]: decided('Approved'),
    [`POST ${ACTION}/deny`]: decided('Denied'),
  });
  expect((await session.run('actions', 'get', SAMPLE_ACTION_ID)).out).toContain(
    'Required: it waits for a second person',
  );
  const approved = await session.run('approve', SAMPLE_ACTION_ID, '--reason', 'read it');
  expect(approved.out).toContain('Approved, by lea: read it\\x1b');
  expect((await session.run('deny', SAMPLE_ACTION_ID, '--reason', 'no')).out).toContain('Denied, by lea');
  expect(reasons).toEqual([{ Reason: 'read it' }, { Reason: 'no' }]);
  expect((await session.run('approve', SAMPLE_ACTION_ID)).code).toBe(2);
});
