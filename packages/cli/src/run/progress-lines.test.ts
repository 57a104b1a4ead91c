import { expect, test } from 'bun:test';
import { sampleAction, sampleCommand } from '@longarm/testkit/sample-entities';
import { presentText, progressLines } from './progress-lines.ts';

const SCRIPT = { type: 'RunScript', params: { ScriptName: 'triage.sh' } };
const GET = { type: 'GetFile', params: { path: '/tmp/a\u202eb' } };
const started = { startTime: '2026-02-04T12:00:00.0000000Z', commandStatus: 'Executing' } as const;
const completed = { ...started, endTime: '2026-02-04T12:00:01.5000000Z', commandStatus: 'Completed' } as const;

const pending = sampleAction({ commands: [sampleCommand(0, SCRIPT), sampleCommand(1, GET)] });
const running = sampleAction({
  status: 'InProgress',
  commands: [sampleCommand(0, SCRIPT, started), sampleCommand(1, GET)],
});
const failed = sampleAction({
  status: 'Failed',
  troubleshootInfo: 'command 1 failed',
  commands: [
    sampleCommand(0, SCRIPT, { ...completed, exitCode: 3 }),
    sampleCommand(1, GET, { commandStatus: 'Failed', errors: ['no such file \u001b[2J'] }),
  ],
});

const texts = (...states: Parameters<typeof progressLines>) => progressLines(...states).map((line) => line.text);

test('the first state is told from the start', () => {
  expect(texts(pending, null)).toEqual(['Pending: waiting for host1.lab.example']);
});

test('only what changed is told, and what came from elsewhere is made visible', () => {
  expect(texts(running, pending)).toEqual([
    'InProgress: host1.lab.example has accepted it',
    '[0] RunScript triage.sh: running',
  ]);
  expect(texts(failed, running)).toEqual([
    '[0] RunScript triage.sh: completed, exit code 3, 1.5 s',
    '[1] GetFile /tmp/a\\u{202e}b: failed: no such file \\x1b[2J',
    'Failed: command 1 failed',
  ]);
  expect(texts(failed, failed)).toEqual([]);
});

test('a cancellation tells how far it is', () => {
  const requested = sampleAction({ status: 'Cancelled', cancellationState: 'Requested' });
  const effective = sampleAction({ status: 'Cancelled', cancellationState: 'Effective' });
  expect(texts(requested, sampleAction())).toEqual(['Cancelled', 'cancellation: Requested']);
  expect(texts(effective, requested)).toEqual(['cancellation: Effective']);
});

test('the living line says what goes on', () => {
  expect(presentText(pending)).toBe('Pending: waiting for host1.lab.example');
  expect(presentText(running)).toBe('[0] RunScript triage.sh: running');
});

test('a transfer is told in percent and bytes', () => {
  const transfer = { bytes: 5_242_880, totalBytes: 10_485_760 };
  const action = sampleAction({
    status: 'InProgress',
    commands: [sampleCommand(0, SCRIPT, { commandStatus: 'Executing', transfer })],
  });
  expect(presentText(action)).toContain('running, 50 % (5.0 MiB of 10.0 MiB)');
});

test('an approval is asked for by name, and told with its reason', () => {
  const waiting = sampleAction({ approvalState: 'Required' });
  expect(presentText(waiting)).toContain(`longarm approve ${waiting.id} --reason`);
  const decided = { approver: 'lea\u202e', approvalReason: 'read it' };
  const approved = sampleAction({ ...decided, approvalState: 'Approved' });
  expect(texts(approved, waiting)).toEqual(['Approved by lea\\u{202e}: read it']);
  expect(texts(approved, approved)).toEqual([]);
  expect(presentText(approved)).toContain('waiting for host1');
  const denied = sampleAction({ ...decided, approvalState: 'Denied', status: 'Cancelled' });
  expect(texts(denied, waiting)).toEqual(['Denied by lea\\u{202e}: read it', 'Cancelled']);
});
