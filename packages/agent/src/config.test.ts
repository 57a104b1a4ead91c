import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { readConfig } from './config.ts';

const read = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  readConfig({ args, environment });
const faults = (...args: readonly string[]) => {
  const config = read(args);
  return config.kind === 'faults' ? config.faults : [];
};

test('options by a space or an equals sign', () => {
  expect(read(['--server', 'https://a.example', '--state=/var/lib/longarm', '--token', 't', '--insecure'])).toEqual({
    kind: 'run',
    serverUrl: 'https://a.example',
    stateFolder: '/var/lib/longarm',
    token: 't',
    insecure: true,
    policyFile: null,
    requireSignatures: false,
    proxy: { given: null, https: null, http: null, except: [] },
    keyDays: null,
    shown: '--server https://a.example --state /var/lib/longarm --token (not shown) --insecure',
    workBytes: 1_073_741_824,
  });
});

test('how it was called is shown without what is secret in it', () => {
  const config = read(['--state', '/s', '--token', 'geheim', '--proxy', 'http://me:geheim@proxy.example:3128']);
  expect(config).toMatchObject({ shown: '--state /s --token (not shown) --proxy http://proxy.example:3128' });
});

test('verbs of the service take what stands behind them as it is', () => {
  expect(read(['install', '--server', 'x'], { https_proxy: 'http://p' })).toMatchObject({
    kind: 'service',
    verb: 'install',
    args: ['--server', 'x'],
    proxy: { https: 'http://p' },
  });
  expect(faults('--state', '/s', 'install')).toContainEqual(expect.stringContaining('"install"'));
});

test('a value may hold an equals sign', () => {
  expect(read(['--state=/a=b'])).toMatchObject({ stateFolder: '/a=b' });
});

test('the state folder is made absolute', () => {
  expect(read(['--state', 'here'])).toMatchObject({ stateFolder: join(process.cwd(), 'here'), serverUrl: null });
});

test('the token comes out of its file, without the line break', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'token');
  writeFileSync(file, 'longarm1.secret\n');
  expect(read(['--state', '/s', '--token-file', file])).toMatchObject({ token: 'longarm1.secret' });
});

test('help and version ask for nothing else', () => {
  expect(read(['--help'])).toEqual({ kind: 'help' });
  expect(read(['--version'])).toEqual({ kind: 'version' });
});

describe('all faults at once, each in a sentence', () => {
  test('several', () => {
    expect(faults('--sever', '--token', '--insecure=yes')).toEqual([
      expect.stringContaining('--sever'),
      expect.stringContaining('--token: expected a value'),
      expect.stringContaining('"--insecure"'),
      expect.stringContaining('--state'),
    ]);
  });
  test('a value that is missing', () => expect(faults('--state')).toContainEqual(expect.stringContaining('got none')));
  test('an option given twice', () =>
    expect(faults('--state', 'a', '--state', 'b')).toContainEqual(expect.stringContaining('twice')));
  test('both kinds of token, without repeating the secret', () => {
    const told = faults('--state', 'a', '--token', 'geheim', '--token-file', '/nowhere');
    expect(told).toContainEqual(expect.stringContaining('got both'));
    expect(told).toContainEqual(expect.stringContaining('/nowhere'));
    expect(told.join()).not.toContain('geheim');
  });
  test.each(['BUN_BE_BUN', 'BUN_OPTIONS'])('%s would run something else', (name) => {
    expect(read(['--state', '/s'], { [name]: '' })).toEqual({
      kind: 'faults',
      faults: [expect.stringContaining(name)],
    });
  });
});

test('a proxy is an address of HTTP, given or from the environment', () => {
  const given = read(['--state', '/s', '--proxy', 'http://proxy.example:3128']);
  expect(given).toMatchObject({ proxy: { given: 'http://proxy.example:3128' } });
  expect(faults('--state', '/s', '--proxy', 'proxy.example').join(' ')).toContain('--proxy: expected an address');
});

describe('the bound of the working folder', () => {
  const workBytes = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    read(['--state', '/s', ...args], environment);
  test('from the environment, and the command line stands above it', () => {
    expect(workBytes([], { LONGARM_WORK_MIB: '2' })).toMatchObject({ workBytes: 2_097_152 });
    expect(workBytes(['--work-mib', '0.5'], { LONGARM_WORK_MIB: '2' })).toMatchObject({ workBytes: 524_288 });
  });
  test.each(['0', '-1', 'much', '1e3', '2000000000'])('%s is none', (text) => {
    const [fault] = faults('--state', '/s', `--work-mib=${text}`);
    expect(fault).toStartWith('--work-mib: expected a number of MiB above 0');
    expect(workBytes([], { LONGARM_WORK_MIB: text })).toMatchObject({
      faults: [expect.stringContaining('LONGARM_WORK_MIB')],
    });
  });
});

describe('another key', () => {
  test('when it is so many days old', () => {
    expect(read(['--state', '/s', '--key-days', '0.5'])).toMatchObject({ keyDays: 0.5 });
    for (const text of ['0', '-1', 'often', '3651'])
      expect(faults('--state', '/s', `--key-days=${text}`).join()).toStartWith('--key-days: expected a number of days');
  });
  test('when somebody asks on the device', () => {
    expect(read(['rotate-key', '--state', '/s'])).toEqual({ kind: 'rotate-key', stateFolder: '/s' });
    expect(read(['rotate-key', '--help'])).toEqual({ kind: 'help' });
    expect(faults('rotate-key')).toEqual(['--state: expected the state folder of the agent, got none']);
    expect(faults('rotate-key', '--state', '/s', '--insecure')).toEqual([
      'rotate-key: expected --state and nothing else',
    ]);
  });
});
