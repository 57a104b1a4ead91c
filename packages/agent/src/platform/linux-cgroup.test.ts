import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { killTree } from '../process/kill-tree.ts';
import { linuxPlatform } from './linux.ts';
import { openCgroups } from './linux-cgroup.ts';

const cgroups = process.platform === 'linux' ? openCgroups() : null;
const after = (delayMs: number, wake: () => void) => {
  const timer = setTimeout(wake, delayMs);
  return () => clearTimeout(timer);
};

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());
const helperFile = () => join(folder.path, 'join-group.sh');

const groupOf = (mark: string): string => mark.slice(mark.indexOf('=') + 1);
const start = (command: readonly string[], mark: string, environment: Readonly<Record<string, string>> = {}) => {
  const contained = linuxPlatform(() => cgroups).contain(command, mark, helperFile());
  return Bun.spawn([...contained.command], {
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    env: { PATH: '/usr/bin:/bin', ...environment, ...contained.environment },
  });
};

test.skipIf(cgroups === null)('what leaves its session and its environment behind is found, and ended', async () => {
  const mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
  const platform = linuxPlatform(() => cgroups);
  const leave = 'echo $$; env -i setsid sleep 1000 & wait';
  const child = start(['/bin/bash', '-c', leave], mark);
  const reader = child.stdout.getReader();
  const line = new TextDecoder().decode((await reader.read()).value);
  expect(Number(line)).toBe(child.pid);
  while (platform.markedProcesses(mark).length < 2) await new Promise((resolve) => setImmediate(resolve));
  // the group alone, as without containment, would miss the one that left
  const { left } = await killTree({ platform, after, graceMs: 200 }, { group: child.pid, mark });
  expect(left).toEqual([]);
  expect(platform.markedProcesses(mark)).toEqual([]);
  await child.exited;
  platform.release(mark);
  expect(cgroups?.members(groupOf(mark))).toEqual([]);
});

test.skipIf(cgroups === null)('a command keeps its arguments, its exit code and its pid', async () => {
  const mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
  const platform = linuxPlatform(() => cgroups);
  const command = ['/bin/sh', '-c', 'printf "%s|" "$@"; exit 3', 'name', 'a b', '$(id)', '"'];
  const child = start(command, mark);
  expect(await child.stdout.text()).toBe('a b|$(id)|"|');
  expect(await child.exited).toBe(3);
  platform.release(mark);
});

const scriptOf = (text: string): string => {
  const path = join(folder.path, 'script.sh');
  writeFileSync(path, text);
  return path;
};

test.skipIf(cgroups === null)('bash joins by itself, before its script, which sees nothing of it', async () => {
  const mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
  const text = 'echo "$? $# $1 $LINENO"; env; grep ^0:: /proc/self/cgroup; echo $$; exit 4\n';
  const command = ['/bin/bash', scriptOf(text), 'a b'];
  const child = start(command, mark, { KEPT: 'x' });
  const output = await child.stdout.text();
  expect(await child.exited).toBe(4);
  const lines = output.trimEnd().split('\n');
  expect(lines[0]).toBe('0 1 a b 1');
  // bash itself sets the last three
  const own = ['PWD', 'SHLVL', '_'];
  const environment = lines.slice(1, -2).filter((line) => !own.includes(line.slice(0, line.indexOf('='))));
  expect(environment.sort()).toEqual(['KEPT=x', 'PATH=/usr/bin:/bin']);
  expect(lines.at(-2)).toEndWith(`/longarm-${groupOf(mark)}`);
  expect(Number(lines.at(-1))).toBe(child.pid);
  expect(await child.stderr.text()).toBe('');
  expect(statSync(helperFile()).mode & 0o777).toBe(0o600);
  linuxPlatform(() => cgroups).release(mark);
});

test.skipIf(cgroups === null)(
  'a helper that says something else is written anew; where it cannot be, a shell joins',
  async () => {
    const isJoined = async () => {
      const mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
      const child = start(['/bin/bash', scriptOf('grep ^0:: /proc/self/cgroup')], mark);
      const output = await child.stdout.text();
      await child.exited;
      linuxPlatform(() => cgroups).release(mark);
      return output.trimEnd().endsWith(groupOf(mark));
    };
    writeFileSync(helperFile(), 'exit 9');
    expect(await isJoined()).toBe(true);
    expect(readFileSync(helperFile(), 'utf8')).toContain('unset BASH_ENV');
    const elsewhere = join(folder.path, 'not-there');
    const { command } = linuxPlatform(() => cgroups).contain(
      ['/bin/bash', scriptOf('true')],
      'LONGARM_ACTION_ID=elsewhere',
      join(elsewhere, 'join-group.sh'),
    );
    linuxPlatform(() => cgroups).release('LONGARM_ACTION_ID=elsewhere');
    expect(command[0]).toBe('/bin/sh');
    expect(existsSync(elsewhere)).toBe(false);
  },
);
