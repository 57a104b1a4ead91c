/** macOS, through its own tools: ps, sysctl, ioreg, sw_vers. */
import { hostname } from 'node:os';
import { deviceFacts } from './device-facts.ts';
import { type Platform, uncontained } from './platform.ts';
import { runTool } from './run-tool.ts';
import { endGroup, endProcess } from './send-signal.ts';

const isAlive = (state: string): boolean => !state.startsWith('Z');

const startTimeOf = (pid: number): string | null => {
  const [state, ...time] = (runTool(['/bin/ps', '-o', 'state=,lstart=', '-p', String(pid)]) ?? '').split(/\s+/);
  return state === undefined || state === '' || !isAlive(state) ? null : time.join(' ');
};

const groupMembers = (group: number): readonly number[] =>
  (runTool(['/bin/ps', '-axo', 'pid=,pgid=,state=']) ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, pgid, state]) => Number(pgid) === group && isAlive(state ?? 'Z'))
    .map(([pid]) => Number(pid));

const hardwareUuid = (): string | null =>
  /"IOPlatformUUID" = "([^"]+)"/.exec(
    runTool(['/usr/sbin/ioreg', '-rd1', '-c', 'IOPlatformExpertDevice']) ?? '',
  )?.[1] ?? null;

export const darwinPlatform = (): Platform => ({
  osPlatform: 'macOS',
  bootId: () => runTool(['/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid']) ?? 'unknown',
  hardwareIdentity: () => hardwareUuid() ?? `host ${hostname()}`,
  facts: () => deviceFacts('macOS', { version: runTool(['/usr/bin/sw_vers', '-productVersion']) ?? '', osBuild: null }),
  startTimeOf,
  groupMembers,
  // the system shows nobody another process's environment
  markedProcesses: () => [],
  contain: uncontained,
  adopt: () => {},
  release: () => {},
  trimMemory: () => {},
  endGroup,
  endProcess,
});
