import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OsPlatform } from '@longarm/contract/machine';
import { type LoopbackServer, startLoopbackServer } from '../../test/loopback-server.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { takeLock } from '../platform/instance-lock.ts';
import { thisPlatform } from '../platform/this-platform.ts';
import { enrolDevice } from './enrol-device.ts';
import { runCommand } from './run-command.ts';
import type { Command } from './service.ts';
import { type ServiceIo, serviceCommand } from './service-command.ts';
import type { ServiceVerb } from './service-options.ts';

const isWindows = process.platform === 'win32';
const platform = thisPlatform(process.platform);

let folder: ReturnType<typeof temporaryFolder>;
let server: LoopbackServer;
let root: string;
let tokenFile: string;
let said: string[];
let commands: Command[];

beforeEach(() => {
  folder = temporaryFolder();
  server = startLoopbackServer();
  root = join(folder.path, 'root');
  tokenFile = join(folder.path, 'token');
  writeFileSync(tokenFile, `${server.token}\n`);
  writeFileSync(join(folder.path, 'program'), '#!/bin/sh\necho 1.2.3\n');
  said = [];
  commands = [];
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const ioOf = (osPlatform: OsPlatform, changes: Partial<ServiceIo> = {}): ServiceIo => ({
  osPlatform,
  platform,
  pid: process.pid,
  userId: 0,
  executable: join(folder.path, 'program'),
  run: (command) => {
    commands.push(command);
    return command.includes('--version') ? runCommand(command) : '';
  },
  enrol: enrolDevice({ fetch, platform, pid: process.pid, pause: Bun.sleep }),
  proxyFor: () => null,
  sleep: Bun.sleep,
  say: (line) => void said.push(line),
  ...changes,
});
const call = (verb: ServiceVerb, args: readonly string[] = [], osPlatform: OsPlatform = 'Linux') =>
  serviceCommand(ioOf(osPlatform), verb, args);
const below = (verb: ServiceVerb, ...args: readonly string[]) => call(verb, [...args, '--root', root]);
const enrolling = () => ['--server', server.url, '--token-file', tokenFile] as const;

const filesIn = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length))
    .sort();

const state = () => join(root, 'var/lib/longarm-agent');
const program = () => join(root, 'usr/local/libexec/longarm-agent/longarm-agent');
const unit = () => join(root, 'etc/systemd/system/longarm-agent.service');
const identity = () => JSON.parse(readFileSync(join(state(), 'identity.json'), 'utf8'));

describe.skipIf(isWindows)('install below a folder', () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  test('enrols, places the executable and the unit, and leaves the running system alone', async () => {
    expect(await below('install', ...enrolling())).toBe(0);
    expect(readFileSync(program(), 'utf8')).toContain('echo 1.2.3');
    expect(readFileSync(unit(), 'utf8')).toContain('ExecStart=');
    expect([modeOf(program()), modeOf(unit()), modeOf(state())]).toEqual([0o755, 0o644, 0o700]);
    expect(identity().machineId).toMatch(/^[0-9a-f]{40}$/);
    expect(commands).toEqual([['systemctl', `--root=${root}`, 'enable', 'longarm-agent.service']]);
    // the token is in nothing that is left behind
    for (const file of filesIn(root)) expect(readFileSync(join(root, file), 'utf8')).not.toContain(server.token);
  });

  test('a second time keeps the identity and replaces the executable, without a token', async () => {
    await below('install', ...enrolling());
    const before = identity();
    writeFileSync(join(folder.path, 'program'), 'a newer program');
    await below('install');
    expect(readFileSync(program(), 'utf8')).toBe('a newer program');
    expect(identity()).toEqual(before);
    expect(said).toContain(`already enrolled at ${server.url} as ${before.machineId}: that is kept`);
  });

  test('from its own place it stays where it is', async () => {
    await below('install', ...enrolling());
    const { ino } = statSync(program());
    await serviceCommand(ioOf('Linux', { executable: program() }), 'install', ['--root', root]);
    expect(statSync(program()).ino).toBe(ino);
  });

  test('at another server it is refused, and nothing changes', async () => {
    await below('install', ...enrolling());
    const other = ['--server', 'https://other.example', '--token-file', tokenFile];
    await expect(below('install', ...other)).rejects.toThrow(`enrolled at ${server.url}`);
    expect(identity().serverUrl).toBe(server.url);
  });

  test('when the server refuses, nothing is installed', async () => {
    const refusal = { error: { message: 'This token is revoked.' } };
    server.settings.intercept = () => Response.json(refusal, { status: 403 });
    await expect(below('install', ...enrolling())).rejects.toThrow('This token is revoked.');
    expect([existsSync(program()), existsSync(unit())]).toEqual([false, false]);
  });

  test('the proxy that leads to the server now leads there later', async () => {
    const proxy = startLoopbackServer();
    const io = ioOf('Linux', { proxyFor: (address) => (address === server.url ? `${proxy.url}/` : null) });
    let proxied = '';
    proxy.settings.intercept = async (request) => {
      proxied = new URL(request.url).pathname;
      return null;
    };
    await serviceCommand(io, 'install', [...enrolling(), '--root', root]);
    await proxy[Symbol.asyncDispose]();
    expect(proxied).toBe('/agent/v1/enrol');
    expect(readFileSync(unit(), 'utf8')).toContain(` --proxy ${proxy.url}\n`);
  });

  const started = () => /^ExecStart=\S+ (.*)$/m.exec(readFileSync(unit(), 'utf8'))?.[1];
  const STATE = '--state /var/lib/longarm-agent';
  const NARROW = ['--policy', '/etc/longarm-agent/policy.json', '--require-signatures', '--work-mib', '64'] as const;
  const placePolicy = () => {
    mkdirSync(join(root, 'etc/longarm-agent'), { recursive: true });
    writeFileSync(join(root, 'etc/longarm-agent/policy.json'), '{"version":1}');
  };

  test('what narrows the agent is in the definition, and is kept by later installs until it is forgotten', async () => {
    placePolicy();
    await below('install', ...enrolling(), ...NARROW);
    const narrow = '--work-mib 64 --policy /etc/longarm-agent/policy.json --require-signatures';
    expect(started()).toBe(`${STATE} ${narrow}`);
    said = [];
    await below('install', '--work-mib', '128');
    expect(started()).toBe(`${STATE} ${narrow.replace('64', '128')}`);
    expect(said.filter((line) => line.startsWith('kept from'))).toEqual([
      'kept from an earlier install: --policy /etc/longarm-agent/policy.json',
      'kept from an earlier install: --require-signatures',
    ]);
    await below('install', '--anew');
    expect(started()).toBe(STATE);
    await below('install');
    expect(started()).toBe(STATE);
  });

  test('a policy that is not there, and options kept by nobody of ours, are told before anything changes', async () => {
    await expect(below('install', ...enrolling(), ...NARROW)).rejects.toThrow('--policy: expected a file at');
    expect([existsSync(program()), existsSync(unit())]).toEqual([false, false]);
    await below('install', ...enrolling());
    writeFileSync(join(state(), 'service.json'), '{"policy":1}');
    await expect(below('install')).rejects.toThrow('service.json: expected the options of an earlier install');
  });

  test('a dry run says it and does nothing', async () => {
    await below('install', ...enrolling(), '--dry-run');
    expect(said).toContain(`would copy ${join(folder.path, 'program')} to ${program()}`);
    expect(existsSync(root)).toBe(false);
  });
});

describe.skipIf(isWindows)('uninstall below a folder', () => {
  test('removes what install made, and nothing else', async () => {
    await below('install', ...enrolling());
    writeFileSync(join(root, 'usr/local/libexec/longarm-agent/mine'), '');
    const kept = filesIn(state());
    await below('uninstall');
    expect([existsSync(program()), existsSync(unit())]).toEqual([false, false]);
    expect(existsSync(join(root, 'usr/local/libexec/longarm-agent/mine'))).toBe(true);
    expect(filesIn(state())).toEqual(kept);
    expect(kept).toContain('/identity.json');
  });

  test('the state goes with --purge, and the server is asked nothing', async () => {
    await below('install', ...enrolling());
    await server[Symbol.asyncDispose]();
    mkdirSync(join(state(), 'working-folder'));
    writeFileSync(join(state(), 'working-folder', 'collected'), '');
    await below('uninstall', '--purge');
    expect(filesIn(root)).toEqual([]);
    expect(existsSync(state())).toBe(false);
  });

  test('what is no state folder is left alone, and so is everything else', async () => {
    await below('install', ...enrolling());
    rmSync(join(state(), 'identity.json'));
    writeFileSync(join(state(), 'precious'), '');
    const before = filesIn(root);
    await expect(below('uninstall', '--purge')).rejects.toThrow('identity.json');
    expect(filesIn(root)).toEqual(before);
  });

  test('while an agent uses the state nothing is removed', async () => {
    await below('install', ...enrolling());
    takeLock(platform, join(state(), 'agent.lock'), process.pid);
    const before = filesIn(root);
    await expect(below('uninstall', '--purge')).rejects.toThrow(`another agent (process ${process.pid})`);
    expect(filesIn(root)).toEqual(before);
  });

  test('files of others in the state folder stay, and that is said', async () => {
    await below('install', ...enrolling());
    writeFileSync(join(state(), 'precious'), '');
    await expect(below('uninstall', '--purge')).rejects.toThrow('files of somebody else');
    expect(filesIn(root)).toEqual(['/var/lib/longarm-agent/precious']);
  });
});

describe.skipIf(isWindows)('status below a folder', () => {
  const asked = async () => {
    said = [];
    const code = await below('status', '--json');
    return { code, status: JSON.parse(said.join('')) };
  };

  test('before anything is there', async () => {
    expect(await asked()).toEqual({
      code: 1,
      status: {
        installed: false,
        running: false,
        pid: null,
        machineId: null,
        server: null,
        version: null,
        executable: program(),
        state: state(),
      },
    });
  });

  test('installed, and then running', async () => {
    await below('install', ...enrolling());
    const { machineId } = identity();
    expect(await asked()).toMatchObject({
      code: 1,
      status: { installed: true, running: false, machineId, server: server.url, version: '1.2.3' },
    });
    takeLock(platform, join(state(), 'agent.lock'), process.pid);
    expect(await asked()).toMatchObject({ code: 0, status: { running: true, pid: process.pid } });
    said = [];
    expect(await below('status')).toBe(0);
    expect(said.slice(0, 3)).toEqual([
      'installed   yes',
      `running     yes, process ${process.pid}`,
      `machine id  ${machineId}`,
    ]);
  });
});

describe('what would be done on', () => {
  test.each([
    ['Linux', 'systemctl restart longarm-agent.service'],
    ['macOS', 'launchctl bootstrap system /Library/LaunchDaemons/longarm-agent.plist'],
    ['Windows', 'C:\\Windows\\System32\\schtasks.exe /Run /TN longarm-agent'],
  ] as const)('%s', async (osPlatform, last) => {
    await call('install', [...enrolling(), '--dry-run'], osPlatform);
    const enrol = said.indexOf(`would enrol at ${server.url}`);
    expect(enrol).toBeGreaterThan(0);
    expect(said.findIndex((line) => line.startsWith('would copy'))).toBeGreaterThan(enrol);
    expect(said.at(-1)).toBe(`would run ${last}`);
    expect(commands).toEqual([]);
  });

  test('Linux: systemd is asked before anything is changed, and the agent ended before it is removed', async () => {
    await call('install', [...enrolling(), '--dry-run']);
    expect(said[0]).toBe('would run systemctl show --property=Version');
    said = [];
    await call('uninstall', ['--purge', '--dry-run']);
    expect(said.map((line) => line.split(' ').slice(1, 3).join(' '))).toEqual([
      'check that',
      'run systemctl',
      'wait until',
      'claim /var/lib/longarm-agent,',
      'remove /etc/systemd/system/longarm-agent.service',
      'remove /usr/local/libexec/longarm-agent/longarm-agent',
      'run systemctl',
      'remove what',
      'remove the',
    ]);
  });

  test('Windows: the state is closed to others before the key is made', async () => {
    await call('install', [...enrolling(), '--dry-run'], 'Windows');
    const closed = said.findIndex((line) => line.includes('icacls'));
    expect(closed).toBeGreaterThan(-1);
    expect(closed).toBeLessThan(said.indexOf(`would enrol at ${server.url}`));
  });
});

describe('refused in a sentence', () => {
  const DRY = ['--server', 'https://a.example', '--token-file', '-', '--root', '/nowhere', '--dry-run'];
  test('Windows: a path in which a task would put variables', async () => {
    const args = [...enrolling(), '--dry-run', '--policy', 'C:\\%USERNAME%\\policy.json'];
    await expect(call('install', args, 'Windows')).rejects.toThrow('without control characters, % and "');
  });

  test.each<readonly [ServiceVerb, readonly string[], string]>([
    ['status', ['--purge'], '--purge: expected options of status'],
    ['install', ['--nonsense'], '--nonsense'],
    ['install', ['--root', 'here'], '--root: expected the whole path'],
    ['install', ['--root', '/nowhere', '--dry-run'], 'got no --server'],
    ['install', ['--server', 'http://a.example', '--root', '/nowhere', '--dry-run'], 'expected https:'],
    ['install', ['--server', 'https://a.example', '--root', '/nowhere', '--dry-run'], '--token-file: expected'],
    ['install', [...DRY, '--work-mib', 'much'], '--work-mib: expected a number of MiB above 0, got "much"'],
    ['install', [...DRY, '--policy', 'policy.json'], '--policy: expected the whole path'],
    ['install', [...DRY, '--policy', '/a\nb'], '--policy: expected a path without control characters'],
    ['uninstall', ['--policy', '/p'], '--policy: expected options of uninstall'],
    [
      'install',
      [
        ...['--server', 'https://a.example', '--token-file', '-', '--root', '/nowhere', '--dry-run'],
        '--proxy',
        'http://me:geheim@p',
      ],
      'without a user name or password',
    ],
  ])('%s %j', async (verb, args, sentence) => {
    await expect(call(verb, args)).rejects.toThrow(sentence);
  });

  test('who is not the administrator', async () => {
    // it would touch this very device, were it not refused: so the first tool that is asked fails
    const run = () => {
      throw new Error('asked a tool');
    };
    const io = ioOf('Linux', { userId: 1000, run });
    await expect(serviceCommand(io, 'install', enrolling())).rejects.toThrow('expected to run as root');
  });

  test('a program of many files cannot be copied', async () => {
    const io = ioOf('Linux', { executable: null });
    await expect(serviceCommand(io, 'install', ['--root', root])).rejects.toThrow('expected to run as one executable');
  });

  test('a tool that fails, with what it said, or is not there', () => {
    expect(() => runCommand([process.execPath, '-e', 'console.error("no such unit"); process.exit(3)'])).toThrow(
      /got 3\. no such unit/,
    );
    expect(() => runCommand(['longarm-no-such-tool'])).toThrow('longarm-no-such-tool: expected this tool');
  });
});
