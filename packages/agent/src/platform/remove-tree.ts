/** Removes a file or a folder with what is in it, by its whole path: a relative one would depend on where we stand. */
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { isAbsolute, join, parse } from 'node:path';

/** The runtime's own recursion fails on wine, where the Windows agent is tested. */
const removeStepwise = (path: string): void => {
  const entries = readdirSync(path, { withFileTypes: true });
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) removeStepwise(child);
    else rmSync(child, { force: true });
  }
  rmdirSync(path);
};

const isFolder = (path: string): boolean => {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
};

/** Depth of the shallowest path that may be removed: nothing directly below the root of a file system. */
const LEAST_PARTS = 2;

const requireRemovable = (path: string): void => {
  const parts = path.slice(parse(path).root.length).split(/[/\\]/);
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isAbsolute(path) || parts.length < LEAST_PARTS || !isPlain)
    throw new Error(`expected the whole path of a file or folder to remove, got ${JSON.stringify(path)}`);
};

/**
 * One that is not there is fine; links are removed, not followed. Throws for a path that is relative, holds `..`, or
 * lies directly below the root: such a one comes from a mistake.
 */
export const removeTree = (path: string): void => {
  requireRemovable(path);
  if (process.platform === 'win32' && isFolder(path)) removeStepwise(path);
  else rmSync(path, { recursive: true, force: true });
};
