/**
 * Room on the disk that is held for the journal: a file that goes when the disk is full, so that what happens with the
 * actions that are here can still be written down, and new ones be refused in words.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { faultText } from './fault.ts';

/** Some hundred facts, or four of the longest with their outputs. */
const RESERVE_BYTES = 262_144;

export type DiskReserve = {
  /** Takes hold of the room, unless it is held. Null, or why the disk does not give it. */
  readonly take: () => string | null;
  /** Gives the room back to the disk; false when there was none. */
  readonly letGo: () => boolean;
};

const write = (path: string): void => {
  const file = openSync(path, 'w', 0o600);
  try {
    // what can be compressed would take less room than it stands for
    const bytes = randomBytes(RESERVE_BYTES);
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** `path`: of the file that holds the room. */
export const fileReserve = (path: string): DiskReserve => {
  let isHeld = existsSync(path);
  const remove = (): boolean => {
    isHeld = false;
    try {
      rmSync(path);
      return true;
    } catch {
      return false;
    }
  };
  return {
    take: () => {
      if (isHeld) return null;
      try {
        write(path);
        isHeld = true;
        return null;
      } catch (fault) {
        remove();
        return faultText(fault);
      }
    },
    letGo: () => isHeld && remove(),
  };
};
