/** The fleet as a program against a server as a program: its smoke form, without a bar on time. */
import { expect, test } from 'bun:test';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMachineLimits } from '@longarm/fleet/plan/machine-limits';
import { FILES_BESIDES } from '@longarm/fleet/plan/plan-fleet';
import { longarmCommand, type Program, startProgram } from '@longarm/testkit/programs';

/** Files that a fleet may have open where that is what is tested, whatever the machine allows. */
const FEW_FILES = 2_000;
const [runtime = '', ...rest] = longarmCommand();
const WITH_FEW_FILES = ['sh', '-c', `ulimit -n ${FEW_FILES} && exec "$0" "$@"`, runtime, ...rest] as const;

const ended = async (program: Program) => {
  const code = await program.ended;
  const found = program
    .output()
    .split('\n')
    .find((line) => line.startsWith('{'));
  return { code, output: program.output(), found: found === undefined ? null : JSON.parse(found) };
};
const fleet = (...args: readonly string[]) => ended(startProgram('longarm', ['bench', 'fleet', '--json', ...args]));
const bounded = (folder: string, ...args: readonly string[]) =>
  ended(
    startProgram('longarm', ['bench', 'fleet', '--json', ...args], {
      command: [...WITH_FEW_FILES],
      env: { TMPDIR: folder },
    }),
  );

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

test('what the machine cannot do is said before anything is started: memory, files, ports, rate', async () => {
  // of its own, so that what is started would leave its folder here
  const folder = await mkdtemp(join(tmpdir(), 'longarm-bounds-'));
  const { ports, cores } = readMachineLimits();
  const places = FEW_FILES - FILES_BESIDES;
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [['--agents', '100000000'], /100,000,000 agents need about [\d,]+ MiB of memory, and [\d,]+ MiB are free/],
    [['--agents', String(places + 1)], /files open here \(ulimit -n\).*raise ulimit -n, add --gateways 2/],
    [['--agents', String(places * 2 + 1), '--gateways', '2'], /connections in 2 gateways: .*--gateways 3/],
    [['--rate', String(cores * 4_000 + 1)], /more than the \d+ cores of this machine can begin/],
  ];
  for (const [args, sentence] of refusals) {
    const { code, output } = await bounded(folder, ...args);
    expect([args, code]).toEqual([args, 2]);
    expect(output).toMatch(sentence);
  }
  // a server that answers at one address alone has the ports of one
  const file = join(folder, 'token');
  await writeFile(file, 'longarm1.a.b.none');
  const elsewhere = ['--server', 'http://192.0.2.1:1', '--token-file', file, '--agents', String(ports + 1)];
  const { code, output } = await ended(
    startProgram('longarm', ['bench', 'fleet', '--json', ...elsewhere], { env: { TMPDIR: folder } }),
  );
  expect(code).toBe(2);
  expect(output).toMatch(/local ports, and there are [\d,]+ for each address.*net\.ipv4\.ip_local_port_range/);
  expect(await readdir(folder)).toEqual(['token']);
  await rm(folder, { recursive: true });
}, 60_000);

test('a million agents: the first limit that stands in the way', async () => {
  const { code, output } = await fleet('--agents', '1000000');
  expect(code).toBe(2);
  expect(output).toContain('1,000,000 ');
});

test('a server of its own with gateways', async () => {
  const { code, found } = await fleet('--agents', '20', '--gateways', '2', '--run', 'a.sh');
  expect(code).toBe(0);
  expect(found).toMatchObject({ connected: 20, failures: {}, actions: { accepted: 20, done: 20 } });
  expect((await fleet('--gateways', '2', '--server', 'http://127.0.0.1:1', '--token-file', '/dev/null')).code).toBe(2);
}, 60_000);
