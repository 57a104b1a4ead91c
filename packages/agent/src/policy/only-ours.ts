/** Who else can change a file or a folder of the device: its own mode, its owner, and those of all folders above it. */
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

const isOurs = ({ uid }: Stats): boolean => uid === 0 || uid === process.getuid?.();

/** In a sticky folder others may add, and not replace what is not theirs (inode(7)). */
const isClosed = ({ mode }: Stats, isAbove: boolean): boolean =>
  (mode & OTHERS_WRITE) === 0 || (isAbove && (mode & STICKY) !== 0);

const faultOf = (path: string, isAbove: boolean): string | null => {
  const stats = lstatSync(path);
  if (!isOurs(stats)) return `${path} belongs to another user. Give it to root, or to the user of the agent`;
  if (!isClosed(stats, isAbove)) return `others can write ${path}. Run chmod go-w on it`;
  return null;
};

/**
 * Why somebody else than root and the agent's own user could replace what lies here, in a sentence, or null. Links on
 * the way are followed first. Windows keeps to access lists, which are not looked at. Throws when there is nothing here.
 */
export const othersFault = (path: string): string | null => {
  if (process.platform === 'win32') return null;
  const real = realpathSync(path);
  const own = faultOf(real, false);
  if (own !== null) return own;
  for (let at = real; at !== dirname(at); ) {
    at = dirname(at);
    const fault = faultOf(at, true);
    if (fault !== null) return fault;
  }
  return null;
};
