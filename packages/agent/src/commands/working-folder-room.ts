/**
 * Room in the working folder, which holds no more than so many bytes: what is oldest goes first, whoever left it there.
 * Files that are to be kept, and what the running action itself put, stay. Links are neither followed nor removed.
 */
import type { Stats } from 'node:fs';
import { lstat, opendir, unlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { faultText } from '../platform/fault.ts';
import type { Log } from '../platform/log.ts';

/** Files looked at together, oldest first: what is held of a folder with a million of them. */
const BATCH = 1_000;

export type RoomOrder = {
  readonly neededBytes: number;
  /** Name of the file that is to be put: what lies under it makes way by itself. */
  readonly fileName: string;
  /** Names directly in the folder that stay. */
  readonly spared: ReadonlySet<string>;
};

export type RoomIo = { readonly path: string; readonly limitBytes: number; readonly log: Log };

type Found = { readonly path: string; readonly sizeBytes: number; readonly modifiedMs: number };

/** A script, or somebody else, may remove what is being looked at. */
const statsOf = (path: string): Promise<Stats | null> => lstat(path).catch(() => null);

/** Every regular file below the folder. */
async function* filesBelow(folder: string): AsyncGenerator<Found> {
  const entries = await opendir(folder).catch(() => null);
  if (entries === null) return;
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    const stats = await statsOf(path);
    if (stats?.isDirectory()) yield* filesBelow(path);
    else if (stats?.isFile()) yield { path, sizeBytes: stats.size, modifiedMs: stats.mtimeMs };
  }
}

const survey = async (io: RoomIo, order: RoomOrder): Promise<{ readonly total: number; readonly spared: number }> => {
  let total = 0;
  let spared = 0;
  for await (const { path, sizeBytes } of filesBelow(io.path)) {
    const name = relative(io.path, path);
    if (name === order.fileName) continue;
    total += sizeBytes;
    if (order.spared.has(name)) spared += sizeBytes;
  }
  return { total, spared };
};

/** The oldest files that may go, oldest first. */
const oldest = async (io: RoomIo, mayGo: (path: string) => boolean): Promise<readonly Found[]> => {
  let found: Found[] = [];
  const trim = () => {
    found = found.sort((a, b) => a.modifiedMs - b.modifiedMs).slice(0, BATCH);
  };
  for await (const file of filesBelow(io.path)) {
    if (file.sizeBytes > 0 && mayGo(file.path)) found.push(file);
    if (found.length === 2 * BATCH) trim();
  }
  trim();
  return found;
};

/** Bytes that its end gives back; 0 when it cannot be removed. */
const evict = async (io: RoomIo, file: Found): Promise<number> => {
  const { sizeBytes } = file;
  const fields = { file: relative(io.path, file.path), sizeBytes };
  try {
    await unlink(file.path);
    io.log('info', 'removed the oldest file of the working folder to make room', fields);
    return sizeBytes;
  } catch (fault) {
    io.log('warn', 'a file of the working folder cannot be removed', { ...fields, fault: faultText(fault) });
    return 0;
  }
};

/** Removes the oldest until `excess` bytes are gone; gives how many are still too many. */
const evictUntil = async (io: RoomIo, order: RoomOrder, excess: number): Promise<number> => {
  const tried = new Set<string>();
  const mayGo = (path: string) => {
    const name = relative(io.path, path);
    return name !== order.fileName && !order.spared.has(name) && !tried.has(path);
  };
  let left = excess;
  while (left > 0) {
    const batch = await oldest(io, mayGo);
    if (batch.length === 0) return left;
    for (const file of batch) {
      if (left <= 0) break;
      tried.add(file.path);
      left -= await evict(io, file);
    }
  }
  return 0;
};

/**
 * Makes room for one file. Null when there is room; else a sentence, and where it can be known beforehand that there
 * will be none, nothing is removed for nothing.
 */
export const makeRoom = async (io: RoomIo, order: RoomOrder): Promise<string | null> => {
  const { total, spared } = await survey(io, order);
  const none = (roomBytes: number) =>
    `expected room for ${order.neededBytes} bytes in the working folder, got ${Math.max(0, roomBytes)}: it holds at most ${io.limitBytes}, and what is in it is to be kept, was put by this action or cannot be removed. Put less, put what is kept again without Keep, or start the agent with a greater --work-mib.`;
  if (spared + order.neededBytes > io.limitBytes) return none(io.limitBytes - spared);
  const left = await evictUntil(io, order, total + order.neededBytes - io.limitBytes);
  return left > 0 ? none(order.neededBytes - left) : null;
};
