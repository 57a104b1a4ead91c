/** One file as a log needs it: the narrowest view of a disk on which what survives a crash can be decided. */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { moveInPlace, replaceFile, writeFresh } from './durable-file.ts';

/** Each call throws what the disk says (`ENOSPC`, `EIO`). */
export type LogDisk = {
  /** The whole content. */
  readonly read: () => Uint8Array;
  /** Writes all bytes from the position on; nothing is durable before `sync`. */
  readonly write: (bytes: Uint8Array, position: number) => void;
  /** What was written is on the disk when this returns. */
  readonly sync: () => void;
  readonly truncate: (sizeBytes: number) => void;
  /** Replaces the whole content, durably: a crash, or a disk that refuses, leaves the old one or the new one. */
  readonly replace: (content: Uint8Array) => void;
  readonly close: () => void;
};

/** No file has this number: writing to it throws. */
const NO_FILE = -1;

const writeAll = (descriptor: number, bytes: Uint8Array, position: number): void => {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
  }
};

/** The file at this path, made empty when it is not there. Mode 0600. */
export const fileDisk = (path: string): LogDisk => {
  if (!existsSync(path)) replaceFile(path, '');
  let descriptor = openSync(path, 'r+', 0o600);
  return {
    read: () => readFileSync(path),
    write: (bytes, position) => writeAll(descriptor, bytes, position),
    sync: () => fdatasyncSync(descriptor),
    truncate: (sizeBytes) => ftruncateSync(descriptor, sizeBytes),
    replace: (content) => {
      const fresh = writeFresh(path, content);
      // Windows replaces no file that is open; a number that was let go may be somebody else's next
      closeSync(descriptor);
      descriptor = NO_FILE;
      try {
        moveInPlace(fresh, path);
      } finally {
        descriptor = openSync(path, 'r+');
      }
    },
    close: () => closeSync(descriptor),
  };
};
