/** The fleet as a program against a server as a program: its smoke form, without a bar on time. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { startProgram } from '@longarm/testkit/programs';

const fleet = async (...args: readonly string[]) => {
  const program = startProgram('longarm', ['bench', 'fleet', '--json', ...args]);
  const code = await program.ended;
  const found = program
    .output()
    .split('\n')
    .find((line) => line.startsWith('{'));
  return { code, output: program.output(), found: found === undefined ? null : JSON.parse(found) };
};

test('twenty agents in two processes enrol, connect over TLS and do what they are asked', async () => {
  const { code, found, output } = await fleet(
    '--agents',
    '20',
    '--processes',
    '2',
    '--tls',
    '--run',
    'triage.sh -days 7',
  );
  expect([code, output.includes('fleet:')]).toEqual([0, false]);
  expect(found).toMatchObject({ agents: 20, processes: 2, connected: 20, failures: {} });
  expect(found.actions).toMatchObject({ asked: 20, accepted: 20, done: 20 });
}, 60_000);

test('agents that sleep by turns come back, and do what waited for them', async () => {
  const behaviour = 'asleep=0.5,awake-seconds=0.3,fail=0.5,latency-ms=1';
  // held for a while: on a fast machine all is done before the first of them goes to sleep
  const { code, found } = await fleet('--agents', '10', '--run', 'a.sh', '--behaviour', behaviour, '--hold', '3');
  expect(code).toBe(0);
  expect(found.actions).toMatchObject({ accepted: 10, done: 10 });
  expect(found.welcomes).toBeGreaterThan(10);
}, 60_000);

const bench = async (name: string, ...args: readonly string[]) => {
  const command = [process.execPath, '--no-install', join(import.meta.dir, '../../bench', name), ...args];
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
};

test('a herd comes back to a server that was killed', async () => {
  const { code, out, err } = await bench('herd.ts', '--agents', '20');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('20 agents plain: all back');
  expect(out).toMatch(/API meanwhile: \d+ calls, .* 0 failed/);
}, 60_000);

test('connections are measured next to a bare socket server', async () => {
  const { code, out, err } = await bench(
    'connections.ts',
    '--agents',
    '20',
    '--settle-seconds',
    '0.1',
    '--beat-seconds',
    '1',
  );
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const line of ['bare socket server:', 'longarm server:', 'heartbeats:']) expect(out).toContain(line);
}, 60_000);

test('what the machine cannot hold is said before anything is started', async () => {
  const { code, output } = await fleet('--agents', '1000000');
  expect(code).toBe(2);
  expect(output).toContain('1,000,000 agents need about');
});
