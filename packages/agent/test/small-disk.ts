/** A file system of its own, so small that a test can fill it. Needs root on Linux; null, and a line that says so, elsewhere. */
import { chmodSync, closeSync, mkdirSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { faultCode } from '@longarm/contract/system-fault';

const BLOCK = new Uint8Array(4_096);

const ran = (command: readonly string[]): boolean =>
  Bun.spawnSync([...command], { stdout: 'ignore', stderr: 'ignore' }).exitCode === 0;

const writeUntilFull = (path: string): void => {
  const file = openSync(path, 'a', 0o600);
  try {
    for (;;) writeSync(file, BLOCK);
  } catch (fault) {
    if (faultCode(fault) !== 'ENOSPC') throw fault;
  } finally {
    closeSync(file);
  }
};

/** Mounted at `path`, which is made when it is not there. */
export const smallDisk = (path: string, kib: number) => {
  mkdirSync(path, { recursive: true });
  if (
    process.platform !== 'linux' ||
    !ran(['mount', '-t', 'tmpfs', '-o', `size=${kib}k,mode=0700`, 'longarm-test', path])
  ) {
    process.stderr.write('skipped: no small disk could be mounted here (needs root on Linux)\n');
    return null;
  }
  const filler = join(path, 'filler');
  chmodSync(path, 0o700);
  return {
    path,
    /** Takes every block that is left. */
    fill: () => writeUntilFull(filler),
    free: () => rmSync(filler, { force: true }),
    /** Nothing may be open for writing there. */
    readOnly: () => {
      if (!ran(['mount', '-o', 'remount,ro', path])) throw new Error(`${path} could not be made read-only`);
    },
    [Symbol.dispose]: () => {
      if (!ran(['umount', path]) && !ran(['umount', '-l', path])) throw new Error(`${path} could not be unmounted`);
      rmdirSync(path);
    },
  };
};
