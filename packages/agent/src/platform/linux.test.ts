import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { DeviceFacts } from '@longarm/contract/wire/facts';
import { until } from '../../test/until.ts';
import { linuxPlatform } from './linux.ts';
import { thisPlatform } from './this-platform.ts';

test('the facts of this device fit the contract', () => {
  const facts = thisPlatform(process.platform).facts();
  expect(DeviceFacts.parse(facts)).toEqual(facts);
});

test('another system is refused by name', () => {
  expect(() => thisPlatform('plan9')).toThrow('plan9');
});

describe.if(process.platform === 'linux')('Linux', () => {
  const platform = linuxPlatform();
  const started: Bun.Subprocess[] = [];
  const start = (command: string[], env: Record<string, string> = {}) => {
    const child = Bun.spawn(command, { detached: true, env: { PATH: process.env.PATH ?? '', ...env } });
    started.push(child);
    return child;
  };
  afterEach(async () => {
    for (const child of started.splice(0)) {
      platform.endGroup(child.pid, 'SIGKILL');
      await child.exited;
    }
  });

  test('the start of the device and the device itself have names that stay', () => {
    expect(platform.bootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(platform.bootId()).toBe(platform.bootId());
    expect(platform.hardwareIdentity()).toBe(platform.hardwareIdentity());
    expect(platform.hardwareIdentity()).not.toBe('');
  });

  test('a process has a start time for as long as it lives', async () => {
    const child = start(['sleep', '300']);
    const startTime = platform.startTimeOf(child.pid);
    expect(startTime).toMatch(/^[0-9]+$/);
    expect(platform.startTimeOf(child.pid)).toBe(startTime ?? '');
    child.kill('SIGKILL');
    await child.exited;
    expect(platform.startTimeOf(child.pid)).toBeNull();
  });

  test('one that has ended and that nobody has asked about is gone too', async () => {
    // the child of a process that never waits for it stays as a zombie
    const parent = Bun.spawn(['bash', '-c', 'sleep 0.01 & echo $!; exec sleep 300'], {
      detached: true,
      stdout: 'pipe',
    });
    started.push(parent);
    const { value } = await parent.stdout.getReader().read();
    const child = Number(new TextDecoder().decode(value));
    await until('its end', () => platform.startTimeOf(child) === null);
    expect(existsSync(`/proc/${child}/stat`)).toBe(true);
    expect(platform.groupMembers(parent.pid)).toEqual([parent.pid]);
  });

  test('a group has its members, whatever they are called', async () => {
    const child = start(['bash', '-c', 'exec -a "x) S 1 1" sleep 300 & wait']);
    await until('two members', () => platform.groupMembers(child.pid).length === 2);
    platform.endGroup(child.pid, 'SIGKILL');
    await until('none', () => platform.groupMembers(child.pid).length === 0);
  });

  test('what carries a mark is found, and what carries a longer one is not', async () => {
    const marked = start(['sleep', '300'], { MARK: 'one' });
    start(['sleep', '300'], { MARK: 'one-more' });
    await until('the marked one', () => platform.markedProcesses('MARK=one').join() === String(marked.pid));
  });

  test('ending what is not there is fine, and the own group is never meant', () => {
    platform.endProcess(4_194_304, 'SIGKILL');
    platform.endGroup(4_194_304, 'SIGKILL');
    platform.endGroup(0, 'SIGKILL');
    platform.endGroup(1, 'SIGKILL');
  });
});
