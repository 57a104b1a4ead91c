import { expect, test } from 'bun:test';
import { killTree } from '../process/kill-tree.ts';
import { linuxPlatform } from './linux.ts';
import { openCgroups } from './linux-cgroup.ts';

const cgroups = process.platform === 'linux' ? openCgroups() : null;
const after = (delayMs: number, wake: () => void) => {
  const timer = setTimeout(wake, delayMs);
  return () => clearTimeout(timer);
};

test.skipIf(cgroups === null)('what leaves its session and its environment behind is found, and ended', async () => {
  const mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
  const platform = linuxPlatform(() => cgroups);
  const leave = 'echo $$; env -i setsid sleep 1000 & wait';
  const child = Bun.spawn([...platform.contain(['/bin/bash', '-c', leave], mark)], { stdout: 'pipe', detached: true });
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
  expect(cgroups?.members(mark.slice(mark.indexOf('=') + 1))).toEqual([]);
});

test.skipIf(cgroups === null)('a command keeps its arguments, its exit code and its pid', async () => {
  const mark = `LONGARM_ACTION_ID=${crypto.randomUUID()}`;
  const platform = linuxPlatform(() => cgroups);
  const command = ['/bin/sh', '-c', 'printf "%s|" "$@"; exit 3', 'name', 'a b', '$(id)', '"'];
  const child = Bun.spawn([...platform.contain(command, mark)], { stdout: 'pipe' });
  expect(await child.stdout.text()).toBe('a b|$(id)|"|');
  expect(await child.exited).toBe(3);
  platform.release(mark);
});
