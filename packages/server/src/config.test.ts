import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROFILES } from '@longarm/contract/limits';
import { ConfigFault, type Environment, readConfig } from './config.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

const DATA = ['--data', '/var/lib/longarm'];
const read = (argv: readonly string[] = [], environment: Environment = {}) =>
  readConfig([...DATA, ...argv], environment);
const faultsOf = (argv: readonly string[], environment: Environment = {}): readonly string[] => {
  try {
    readConfig(argv, environment);
    return [];
  } catch (fault) {
    if (fault instanceof ConfigFault) return fault.faults;
    throw fault;
  }
};
const writeFile = async (text: string): Promise<string> => {
  const path = join(folder, `${crypto.randomUUID()}.toml`);
  await Bun.write(path, text);
  return path;
};

describe('what applies', () => {
  test('by default: loopback, own TLS, the limits of the first edition', () => {
    expect(read()).toEqual({
      dataFolder: '/var/lib/longarm',
      host: '127.0.0.1',
      port: 8443,
      tls: 'own',
      certificateFiles: null,
      profile: '2021-06',
      limits: PROFILES['2021-06'].limits,
      publicUrl: null,
      trustProxy: false,
      gateways: 0,
      strictArgs: false,
      stopOnNonzeroExit: false,
      secondFactor: 'optional',
      logLevel: 'info',
      agentsFolder: null,
      metrics: null,
      traces: null,
    });
  });

  test('a second factor is asked of everybody where a flag says so', () => {
    expect(read(['--second-factor', 'required']).secondFactor).toBe('required');
    expect(read([], { LONGARM_SECOND_FACTOR: 'required' }).secondFactor).toBe('required');
    expect(faultsOf([...DATA, '--second-factor', 'yes'])).toEqual([
      expect.stringContaining('second-factor: expected one of optional, required'),
    ]);
  });

  test('metrics are served where a flag says, on loopback only', () => {
    expect(read(['--metrics', '127.0.0.1:9464']).metrics).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(faultsOf([...DATA, '--metrics', '0.0.0.0:9464'])).toEqual([
      expect.stringContaining('metrics: expected a loopback address'),
    ]);
    expect(faultsOf([...DATA, '--metrics', '9464'])).toContainEqual(
      expect.stringContaining('metrics: expected host:port'),
    );
  });

  test('a flag stands above the environment, that above a file, that above the profile', async () => {
    const file = await writeFile(`
      profile = "2025-12"
      listen = "127.0.0.1:1"
      log-level = "warn"
      strict-args = true
      [limit]
      sessions = 7
      queue-hours = 0.5
      link-minutes = 5
    `);
    const environment = {
      LONGARM_LISTEN: '127.0.0.1:2',
      LONGARM_LOG_LEVEL: 'error',
      LONGARM_LIMIT_SESSIONS: '8',
      LONGARM_LIMIT_QUEUE_HOURS: '0.25',
      LONGARM_TRUST_PROXY: 'true',
    };
    const config = read(['--config', file, '--listen', '127.0.0.1:3', '--limit', 'sessions=9'], environment);
    expect(config).toMatchObject({
      profile: '2025-12',
      port: 3,
      logLevel: 'error',
      strictArgs: true,
      trustProxy: true,
    });
    expect(config.limits).toEqual({
      ...PROFILES['2025-12'].limits,
      sessions: 9,
      'queue-hours': 0.25,
      'link-minutes': 5,
    });
    expect(PROFILES['2025-12'].limits.sessions).toBe(50);
  });

  test('the file may be named in the environment', async () => {
    const file = await writeFile('log-level = "silent"');
    expect(read([], { LONGARM_CONFIG: file }).logLevel).toBe('silent');
  });

  test('the last of a limit counts, and others stay', () => {
    const { limits } = read(['--limit', 'sessions=1', '--limit', 'sessions=2', '--limit', 'script-seconds=0.5']);
    expect(limits).toEqual({ ...PROFILES['2021-06'].limits, sessions: 2, 'script-seconds': 0.5 });
  });

  test('it is frozen', () => {
    const config = read();
    expect([Object.isFrozen(config), Object.isFrozen(config.limits)]).toEqual([true, true]);
  });

  test('a public address loses its slash, an IPv6 address its brackets', () => {
    const config = read(['--public-url', 'https://lr.example:9443/', '--listen', '[::1]:0']);
    expect([config.publicUrl, config.host, config.port]).toEqual(['https://lr.example:9443', '::1', 0]);
  });
});

describe('what is refused', () => {
  test('all faults are told at once, by name', async () => {
    const file = await writeFile('colour = "red"\n[limit]\nsessions = 0');
    const argv = [
      '--config',
      file,
      '--listen',
      'nowhere',
      '--limit',
      'speed=9',
      '--limit',
      'get-mib',
      '--tls',
      'perhaps',
    ];
    const faults = faultsOf([...argv, '--profile', '1999', '--public-url', 'https://x/path', '--log-level', 'loud'], {
      LONGARM_STRICT_ARGS: 'very',
      LONGARM_LIMIT_QUEUE_HOURS: 'soon',
    });
    for (const name of [
      'unknown setting colour',
      'limit sessions',
      'limit speed',
      '--limit: expected name=value, got "get-mib"',
      'limit queue-hours',
      'listen: expected host:port',
      'tls: expected one of own, off, got "perhaps"',
      'profile: expected one of 2021-06, 2025-12, got "1999"',
      'public-url',
      'log-level',
      'strict-args',
      'data: expected a folder',
    ])
      expect([name, faults.filter((fault) => fault.replace(`${file}: `, '').startsWith(name)).length]).toEqual([
        name,
        1,
      ]);
    expect(faults).toHaveLength(12);
  });

  for (const value of ['', ' ', '0', '-1', 'ten', 'Infinity', 'NaN', '1e999']) {
    test(`a limit of ${JSON.stringify(value)}`, () => {
      expect(faultsOf([...DATA, '--limit', `sessions=${value}`])).toEqual([
        `limit sessions: expected a number above 0, got ${JSON.stringify(value)}`,
      ]);
    });
  }

  for (const listen of [
    '8443',
    ':8443',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:99999',
    '[::g]:1',
    '::1:8443',
    'a:b:1',
  ]) {
    test(`to listen on ${listen}`, () => {
      expect(faultsOf([...DATA, '--listen', listen])).toEqual([expect.stringContaining('listen: expected host:port')]);
    });
  }

  for (const url of ['lr.example', 'ftp://lr.example', 'https://lr.example/longarm', 'https://lr.example/?a', '/']) {
    test(`a public address of ${url}`, () => {
      expect(faultsOf([...DATA, '--public-url', url])).toEqual([expect.stringContaining('public-url: expected')]);
    });
  }

  test('an unknown flag, a word, a flag without its value', () => {
    for (const argv of [['--colour', 'red'], ['red'], ['--listen']])
      expect(faultsOf([...DATA, ...argv]).length).toBeGreaterThan(0);
  });

  test('a file that is not there, or is no TOML', async () => {
    expect(faultsOf([...DATA, '--config', join(folder, 'none.toml')])).toEqual([expect.stringContaining('--config')]);
    const broken = await writeFile('listen = ');
    expect(faultsOf([...DATA, '--config', broken])).toEqual([expect.stringContaining(`--config ${broken}`)]);
  });
});

describe('without TLS', () => {
  const off = (listen: string, ...more: readonly string[]) =>
    faultsOf([...DATA, '--tls', 'off', '--listen', listen, ...more]);

  test('loopback alone is listened on', () => {
    for (const listen of ['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1'])
      expect([listen, off(listen)]).toEqual([listen, []]);
    for (const listen of ['0.0.0.0:1', '10.0.0.1:1', '[::]:1', 'lr.example:1', '127.evil.example:1'])
      expect([listen, off(listen)]).toEqual([
        listen,
        [expect.stringContaining('expected a loopback address to listen on')],
      ]);
  });

  test('others only where somebody says that the connection is protected', () => {
    expect(off('0.0.0.0:1', '--insecure')).toEqual([]);
    const argv = [...DATA, '--tls', 'off', '--listen', '0.0.0.0:1'];
    expect(faultsOf(argv, { LONGARM_INSECURE: 'true' })).toEqual([]);
    expect(faultsOf(argv, { LONGARM_INSECURE: 'false' })).toHaveLength(1);
  });
});

test('gateways: a whole number, and on Linux alone', () => {
  const read = (text: string, platform: NodeJS.Platform = 'linux') =>
    readConfig(['--data', 'd', `--gateways=${text}`], {}, platform).gateways;
  expect([read('0'), read('64'), read('0', 'win32')]).toEqual([0, 64, 0]);
  for (const text of ['-1', '65', '1.5', '', 'two'])
    expect(() => read(text)).toThrow('gateways: expected a whole number from 0 to 64');
  expect(() => read('1', 'win32')).toThrow('gateways: expected 0 on win32: only Linux spreads connections');
  expect(() => read('1', 'darwin')).toThrow('expected 0 on darwin');
  expect(readConfig(['--data', 'd'], { LONGARM_GATEWAYS: '3' }, 'linux').gateways).toBe(3);
});
