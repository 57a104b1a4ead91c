/** The device's one working folder: emptied when the device restarted, but for what was put there to be kept. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../platform/durable-file.ts';
import type { Log } from '../platform/log.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { makeRoom } from './working-folder-room.ts';

const Manifest = z.strictObject({ bootId: z.string(), kept: z.array(z.string()) });
type Manifest = z.infer<typeof Manifest>;

export type WorkingFolder = {
  readonly path: string;
  /** Remembers durably whether the file of this name outlives a restart of the device. */
  readonly keep: (fileName: string, isKept: boolean) => void;
  /** The file of this name counts as put now: what was put longest ago makes way first. */
  readonly refresh: (fileName: string) => void;
  /** Removes what is oldest until a file of this size fits. Null, or why it does not. */
  readonly makeRoom: (file: {
    readonly fileName: string;
    readonly sizeBytes: number;
    /** Names that the running action has put itself. */
    readonly put: readonly string[];
  }) => Promise<string | null>;
};

const readManifest = (path: string): Manifest | null => {
  if (!existsSync(path)) return null;
  try {
    return Manifest.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // without it nobody knows what was to be kept, and the promise is that the rest goes
    return null;
  }
};

const emptyExcept = (folder: string, kept: readonly string[]): void => {
  for (const name of readdirSync(folder)) {
    if (!kept.includes(name)) removeTree(join(folder, name));
  }
};

const requireFolder = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!lstatSync(path).isDirectory())
    throw new Error(`${path}: expected the working folder, got a link or a file. Remove it and start again.`);
};

/** Opens the folder at a start of the agent. Throws a sentence when it cannot be used. */
export const openWorkingFolder = (place: {
  readonly path: string;
  readonly manifestPath: string;
  readonly bootId: string;
  /** Most bytes of all files in it together. */
  readonly limitBytes: number;
  /** The device's own clock, milliseconds since 1970: files of scripts bear its times. */
  readonly localNow: () => number;
  readonly log: Log;
}): WorkingFolder => {
  const { path, manifestPath, bootId, limitBytes, log } = place;
  requireFolder(path);
  let manifest = readManifest(manifestPath) ?? { bootId: '', kept: [] };
  const remember = (next: Manifest) => {
    replaceFile(manifestPath, JSON.stringify(next));
    manifest = next;
  };
  if (manifest.bootId !== bootId) {
    emptyExcept(path, manifest.kept);
    remember({ bootId, kept: manifest.kept.filter((name) => existsSync(join(path, name))) });
  }
  return {
    path,
    keep: (fileName, isKept) => {
      if (manifest.kept.includes(fileName) === isKept) return;
      const others = manifest.kept.filter((name) => name !== fileName);
      remember({ ...manifest, kept: isKept ? [...others, fileName] : others });
    },
    refresh: (fileName) => {
      const now = new Date(place.localNow());
      utimesSync(join(path, fileName), now, now);
    },
    makeRoom: ({ fileName, sizeBytes, put }) =>
      makeRoom(
        { path, limitBytes, log },
        { neededBytes: sizeBytes, fileName, spared: new Set([...manifest.kept, ...put]) },
      ),
  };
};
