/** One agent per state folder: two would write the same journal. The lock names its holder, so a crash leaves none. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { faultCode } from '@longarm/contract/system-fault';
import { z } from 'zod';
import type { Platform } from './platform.ts';

const Holder = z.object({ pid: z.int().positive(), startTime: z.string().nullable(), bootId: z.string() });
type Holder = z.infer<typeof Holder>;

export type LockIo = Pick<Platform, 'startTimeOf' | 'bootId'>;

const readHolder = (path: string): Holder | null => {
  try {
    return Holder.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
};

const isAlive = (io: LockIo, holder: Holder): boolean =>
  holder.bootId === io.bootId() && holder.startTime !== null && io.startTimeOf(holder.pid) === holder.startTime;

/** The process of the living agent that holds the lock; null when none does. */
export const lockHolder = (io: LockIo, path: string): number | null => {
  const holder = readHolder(path);
  return holder !== null && isAlive(io, holder) ? holder.pid : null;
};

/** A lock without its holder's name would tell nobody anything: on a full disk none is left. */
const writeHolder = (path: string, file: number, holder: Holder): void => {
  try {
    writeSync(file, JSON.stringify(holder));
  } catch (fault) {
    rmSync(path, { force: true });
    throw fault;
  } finally {
    closeSync(file);
  }
};

/** False when somebody else's lock is there. */
const take = (path: string, holder: Holder): boolean => {
  try {
    writeHolder(path, openSync(path, 'wx', 0o600), holder);
    return true;
  } catch (fault) {
    if (faultCode(fault) === 'EEXIST') return false;
    throw fault;
  }
};

/** Takes the lock; gives how to let go. Throws a sentence when a living agent holds it. */
export const takeLock = (io: LockIo, path: string, pid: number): (() => void) => {
  const self: Holder = { pid, startTime: io.startTimeOf(pid), bootId: io.bootId() };
  if (!take(path, self)) {
    const holder = lockHolder(io, path);
    if (holder !== null)
      throw new Error(`another agent (process ${holder}) uses this state folder: give this one a folder of its own`);
    rmSync(path, { force: true });
    if (!take(path, self)) throw new Error('another agent started in this state folder at the same moment');
  }
  return () => rmSync(path, { force: true });
};
