/** The state folder holds the device's key and everything that it was told: nobody else may look into it. */
import { accessSync, constants, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { faultText } from '../platform/fault.ts';
import { removeTree } from '../platform/remove-tree.ts';
import type { StateFolder } from './state-folder.ts';

const OTHERS = 0o077;

const faultOf = (path: string): string | null => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stats = statSync(path);
    if (!stats.isDirectory()) return 'expected a folder, got a file';
    // Windows keeps to access lists instead, and shows no such bits
    if (process.platform !== 'win32' && (stats.mode & OTHERS) !== 0)
      return `expected a folder that only its owner can use (mode 0700), got mode 0${(stats.mode & 0o777).toString(8)}. Run chmod 700 on it.`;
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (fault) {
    return `expected a folder that this user can write, got: ${faultText(fault)}`;
  }
};

/** Why the folder cannot be the state folder, in a sentence, or null. Makes it when it is not there, mode 0700. */
export const stateFolderFault = (path: string): string | null => {
  const fault = faultOf(path);
  return fault === null ? null : `${path}: ${fault}`;
};

/** Makes the folders inside; half downloads of the last run go. */
export const prepareState = (folders: StateFolder): void => {
  removeTree(folders.incoming);
  for (const path of [folders.incoming, folders.scripts, folders.spool])
    mkdirSync(path, { recursive: true, mode: 0o700 });
};

/** Removes spool files that no report speaks of: a crash came between the two. */
export const sweepSpool = (folders: StateFolder, owed: ReadonlySet<string>): void => {
  for (const name of readdirSync(folders.spool)) {
    const path = join(folders.spool, name);
    if (!owed.has(path)) rmSync(path, { force: true });
  }
};
