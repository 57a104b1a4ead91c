/**
 * Control groups of Linux (cgroup v2: Documentation/admin-guide/cgroup-v2.rst): what a script starts is in its group
 * whatever it does with sessions and environments, so that it can be found and ended. Where there are none, or this
 * user may not make any, everything works by process groups and environments as before.
 */
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contained, uncontained } from './platform.ts';

const attempt = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

const pidsIn = (folder: string): readonly number[] => {
  for (const list of ['cgroup.procs', 'cgroup.threads']) {
    try {
      const pids = readFileSync(join(folder, list), 'utf8').split('\n');
      return pids.filter((pid) => pid !== '').map(Number);
    } catch {
      // a threaded group tells its threads alone; one that is not there tells neither
    }
  }
  return [];
};

/** Makes the group, threaded where its parent allows that. */
const makeGroup = (folder: string): void => {
  if (attempt(() => mkdirSync(folder))) attempt(() => writeFileSync(join(folder, 'cgroup.type'), 'threaded'));
};

export type Cgroups = {
  /** The same command, in the group of this name before anything of it runs that somebody else wrote. */
  readonly enter: (command: readonly string[], name: string, helperFile: string) => Contained;
  /** Processes in the group; empty when there is none. */
  readonly members: (name: string) => readonly number[];
  /** Removes the group, now or when its last process has gone. */
  readonly discard: (name: string) => void;
};

/**
 * A shell joins the group; one that cannot be joined does not keep the command from running. A thread that
 * moves itself (0) into a threaded group takes no lock that all processes share; one that moves by `cgroup.procs` waits
 * for the kernel's next grace period, 2 ms on a quiet machine and 20 on a busy one.
 */
const joinOf = (folder: string): string =>
  `{ echo 0 > "${folder}/cgroup.threads" || echo $$ > "${folder}/cgroup.procs"; } 2>/dev/null`;

/** For any program: a shell joins, and becomes it. */
const asShell = (command: readonly string[], folder: string): Contained =>
  uncontained(['/bin/sh', '-c', `${joinOf('$0')}; exec "$@"`, folder, ...command]);

const GROUP = 'LONGARM_JOIN_GROUP';
const JOIN_IN_BASH = `${joinOf(`$${GROUP}`)}\nunset BASH_ENV ${GROUP}\n`;

/** A shell of its own costs as much as bash itself takes to start: bash joins by what it reads before its script (bash(1), BASH_ENV). */
const asBash = (command: readonly string[], folder: string, helperFile: string): Contained | null => {
  const isScript = command[0]?.endsWith('/bash') === true && command[1]?.startsWith('/') === true;
  if (!isScript || !isWritten(helperFile)) return null;
  return { command, environment: { BASH_ENV: helperFile, [GROUP]: folder } };
};

const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** The file says what it has to, now: one that is not there would be passed over in silence. */
const isWritten = (helperFile: string): boolean => {
  const isThere = () => textOf(helperFile) === JOIN_IN_BASH;
  return isThere() || (attempt(() => writeFileSync(helperFile, JOIN_IN_BASH, { mode: 0o600 })) && isThere());
};

/** Where this process's own group lies, or null. */
const ownGroup = (): string | null => {
  try {
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    return mount === undefined || path === undefined ? null : join(mount, path);
  } catch {
    return null;
  }
};

/** Null where this process cannot make groups. */
export const openCgroups = (): Cgroups | null => {
  const own = ownGroup();
  if (own === null) return null;
  const folderOf = (name: string) => join(own, `longarm-${name}`);
  const probe = folderOf(`probe-${process.pid}`);
  const works = attempt(() => {
    mkdirSync(probe);
    // a group without processes takes an empty wish; one that cannot be written refuses it
    writeFileSync(join(probe, 'cgroup.max.descendants'), 'max');
  });
  attempt(() => rmdirSync(probe));
  if (!works) return null;
  /** Groups that were to be removed while their last process was still on its way out. */
  const lingering = new Set<string>();
  const discard = (name: string) => {
    lingering.add(name);
    for (const left of lingering) if (attempt(() => rmdirSync(folderOf(left)))) lingering.delete(left);
  };
  return {
    enter: (command, name, helperFile) => {
      // what is not there is to fail as such, and not as a shell that found nothing
      const [program = ''] = command;
      if (!attempt(() => accessSync(program, constants.X_OK))) return uncontained(command);
      const folder = folderOf(name);
      makeGroup(folder);
      lingering.delete(name);
      return asBash(command, folder, helperFile) ?? asShell(command, folder);
    },
    members: (name) => pidsIn(folderOf(name)),
    discard,
  };
};
