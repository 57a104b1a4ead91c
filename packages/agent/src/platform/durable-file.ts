/** Small files that are there whole or not at all, also after a power cut. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
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

/** Replaces the file by this content: a crash leaves the old one or the new one. Mode 0600. */
export const replaceFile = (path: string, content: string | Uint8Array): void => {
  const fresh = `${path}.new`;
  writeSynced(fresh, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  renameSync(fresh, path);
  syncFolder(dirname(path));
};
