import { expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asleepSeconds, DEFAULT_BEHAVIOUR, parseBehaviour } from './agent/behaviour.ts';
import { readFleetConfig } from './config.ts';

test('without anything it is a thousand agents on a server of its own', () => {
  expect(readFleetConfig([])).toMatchObject({
    server: null,
    token: null,
    agents: 1_000,
    processes: null,
    isTls: false,
  });
});

test('a server needs a token, and a run there needs an application', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-fleet-config-'));
  try {
    const file = join(folder, 'token.txt');
    await writeFile(file, 'longarm1.x\n');
    const server = ['--server', 'https://lr.example:8443/', '--token-file', file];
    expect(readFleetConfig(server)).toMatchObject({
      server: 'https://lr.example:8443',
      token: 'longarm1.x',
      isTls: true,
    });
    expect(() => readFleetConfig(server.slice(0, 2))).toThrow('--server and --token-file together');
    expect(() => readFleetConfig([...server, '--run', 'a.sh'])).toThrow('--client-id and --secret-file');
    expect(() => readFleetConfig(['--server', 'http://x', '--token-file', join(folder, 'none')])).toThrow(
      'cannot be read',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  [['--agents', '0'], '--agents: expected a number from 1'],
  [['--agents', '1.5'], 'whole number'],
  [['--rate', ''], '--rate: expected a number'],
  [['--server', 'ftp://x'], '--server: expected http(s)'],
  [['--behaviour', 'mood=1'], 'expected one of latency-ms'],
  [['--behaviour', 'fail=1.1'], '--behaviour fail: expected a number from 0 to 1'],
  [['--behaviour', 'fail'], '--behaviour fail'],
])('%j is refused with its name', (argv, sentence) => {
  expect(() => readFleetConfig(argv)).toThrow(sentence);
});

test('traits are set one by one, and the share asleep makes the time away', () => {
  expect(parseBehaviour('fail=1, latency-ms=0')).toEqual({ ...DEFAULT_BEHAVIOUR, fail: 1, 'latency-ms': 0 });
  expect(asleepSeconds(parseBehaviour('asleep=0.75,awake-seconds=10'))).toBe(30);
  expect(asleepSeconds(DEFAULT_BEHAVIOUR)).toBe(0);
});
