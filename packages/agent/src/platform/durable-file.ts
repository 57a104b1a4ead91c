/** Small files that are there whole or not at all, also after a power cut. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes names in a folder durable. Windows has no such call and keeps them in its own journal. */
export const syncFolder = (path: string): void => {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

const writeSynced = (path: string, content: Uint8Array): void => {
  const file = openSync(path, 'w', 0o600);
  try {
    for (let written = 0; written < content.length; ) {
      written += writeSync(file, content, written, content.length - written);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** Writes the content beside the file, synced, and gives where. Throws when the disk refuses, and leaves nothing then. */
export const writeFresh = (path: string, content: string | Uint8Array): string => {
  const fresh = `${path}.new`;
  try {
    writeSynced(fresh, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  } catch (fault) {
    rmSync(fresh, { force: true });
    throw fault;
  }
  return fresh;
};

/** Puts what `writeFresh` wrote in the file's place. */
export const moveInPlace = (fresh: string, path: string): void => {
  renameSync(fresh, path);
  syncFolder(dirname(path));
};

/** Replaces the file by this content: a crash, or a disk that refuses, leaves the old one or the new one. Mode 0600. */
export const replaceFile = (path: string, content: string | Uint8Array): void =>
  moveInPlace(writeFresh(path, content), path);
