/** The fleet as a program against a server as a program: its smoke form, without a bar on time. */
import { expect, test } from 'bun:test';
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
  const { code, found } = await fleet('--agents', '10', '--run', 'a.sh', '--behaviour', behaviour);
  expect(code).toBe(0);
  expect(found.actions).toMatchObject({ accepted: 10, done: 10 });
  expect(found.welcomes).toBeGreaterThan(10);
}, 60_000);

test('what the machine cannot hold is said before anything is started', async () => {
  const { code, output } = await fleet('--agents', '1000000');
  expect(code).toBe(2);
  expect(output).toContain('1,000,000 agents need about');
});
