/** Linux, through /proc (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { faultCode } from '@longarm/contract/system-fault';
import { deviceFacts } from './device-facts.ts';
import { type Cgroups, openCgroups } from './linux-cgroup.ts';
import { memoryTrimmer } from './linux-memory.ts';
import { type Platform, uncontained } from './platform.ts';
import { endGroup, endProcess } from './send-signal.ts';

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
};

type Stat = { readonly group: number; readonly startTicks: string };

/** Fields of /proc/PID/stat; null for what has gone, also for a zombie, which runs nothing any more. */
const statOf = (pid: number): Stat | null => {
  const text = readText(`/proc/${pid}/stat`);
  if (text === null) return null;
  // the name in parentheses may hold anything: count fields behind its last parenthesis
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startTicks = fields[19];
  if (state === undefined || group === undefined || startTicks === undefined) return null;
  return state === 'Z' || state === 'X' ? null : { group: Number(group), startTicks };
};

const allPids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);

const isMarked = (pid: number, assignment: string): boolean =>
  pid !== process.pid && (readText(`/proc/${pid}/environ`)?.split('\0').includes(assignment) ?? false);

/** The kernel's own word, since looking through /proc costs milliseconds; a group of zombies is not empty to it. */
const isEmptyGroup = (group: number): boolean => {
  try {
    process.kill(-group, 0);
    return false;
  } catch (fault) {
    return faultCode(fault) === 'ESRCH';
  }
};

const distributionVersion = (): string =>
  /^VERSION_ID="?([^"\n]*)"?$/m.exec(readText('/etc/os-release') ?? '')?.[1] ?? '';

/** The value of `NAME=value`: a name for a control group, if it can be one. */
const groupName = (assignment: string): string =>
  assignment.slice(assignment.indexOf('=') + 1).replace(/[^0-9a-zA-Z-]/g, '');

/** Probed at the first use: an agent that runs nothing needs no group. */
const lazyCgroups = (): (() => Cgroups | null) => {
  let opened: { readonly cgroups: Cgroups | null } | null = null;
  return () => {
    opened ??= { cgroups: openCgroups() };
    return opened.cgroups;
  };
};

const markedProcesses = (cgroups: Cgroups | null, assignment: string): readonly number[] => {
  const marked = allPids().filter((pid) => isMarked(pid, assignment));
  const contained = cgroups?.members(groupName(assignment)) ?? [];
  return [...new Set([...marked, ...contained])].filter((pid) => statOf(pid) !== null);
};

export const linuxPlatform = (cgroups = lazyCgroups()): Platform => ({
  osPlatform: 'Linux',
  bootId: () => readText('/proc/sys/kernel/random/boot_id') ?? 'unknown',
  hardwareIdentity: () =>
    readText('/sys/class/dmi/id/product_uuid') || readText('/etc/machine-id') || `host ${hostname()}`,
  facts: () => deviceFacts('Linux', { version: distributionVersion(), osBuild: null }),
  startTimeOf: (pid) => statOf(pid)?.startTicks ?? null,
  groupMembers: (group) => (isEmptyGroup(group) ? [] : allPids().filter((pid) => statOf(pid)?.group === group)),
  markedProcesses: (assignment) => markedProcesses(cgroups(), assignment),
  contain: (command, assignment, helperFile) =>
    cgroups()?.enter(command, groupName(assignment), helperFile) ?? uncontained(command),
  adopt: () => {},
  release: (assignment) => cgroups()?.discard(groupName(assignment)),
  trimMemory: memoryTrimmer(),
  endGroup,
  endProcess,
});
