/** Removes a file or a folder with what is in it; one that is not there is fine. Links are removed, not followed. */
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

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

export const removeTree = (path: string): void => {
  if (process.platform === 'win32' && isFolder(path)) removeStepwise(path);
  else rmSync(path, { recursive: true, force: true });
};
