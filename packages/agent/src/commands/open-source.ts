/** The file that GetFile names: opened so that nothing can hang, and refused in a sentence when it is no regular file. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, stat, statfs } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { FILE_NAME_BYTES } from '@longarm/contract/limits';
import { faultCode } from '@longarm/contract/system-fault';
import { faultText } from '../platform/fault.ts';

export type OpenedSource = {
  readonly kind: 'opened';
  readonly file: FileHandle;
  /** Where it really lies, links followed. */
  readonly path: string;
  /** The path as asked for leads through a link: what is collected lies elsewhere, and that is said. */
  readonly isLinked: boolean;
  /** Base name as asked for, bounded as the contract bounds names. */
  readonly name: string;
  /** Length at this moment: what is appended later is not collected. */
  readonly sizeBytes: number;
  /** Its length says nothing about what can be read: the kernel makes its content up (proc(5), sysfs(5)). */
  readonly isMadeUp: boolean;
};

type Refused = { readonly kind: 'refused'; readonly sentence: string };

/** `f_type` of file systems whose files have no true length (statfs(2)): proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs. */
const MADE_UP: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x73636673,
]);

const kindName = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
};

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file: a part of the path is no folder',
  EACCES: 'the agent may not read it',
  EPERM: 'the agent may not read it',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the path is too long for this device',
};

const sentenceFor = (path: string, fault: unknown): string =>
  `${path}: ${SENTENCES[faultCode(fault) ?? ''] ?? `could not be opened: ${faultText(fault)}`}`;

const boundName = (path: string): string => {
  let name = basename(path) || 'file';
  while (new TextEncoder().encode(name).length > FILE_NAME_BYTES) name = name.slice(0, -1);
  return name.toWellFormed();
};

const isOnMadeUpFileSystem = async (path: string): Promise<boolean> =>
  MADE_UP.has((await statfs(path).catch(() => null))?.type ?? 0);

const refuse = (sentence: string): Refused => ({ kind: 'refused', sentence });

/** Case alone is no other place: Windows gives a path back as it is written on the disk. */
const isElsewhere = (path: string, real: string): boolean => real.toLowerCase() !== path.toLowerCase();

/** Of the open file itself, where the system tells (proc(5)): no link that changes meanwhile leads astray. */
const toldPlace = (file: FileHandle): Promise<string | null> =>
  // elsewhere anybody might make a folder of that name
  process.platform === 'linux' ? readlink(`/proc/self/fd/${file.fd}`).catch(() => null) : Promise.resolve(null);

/** Where the open file really lies, or null when no path without links names this very file (any more). */
const placeOf = async (file: FileHandle, path: string): Promise<string | null> => {
  const told = await toldPlace(file);
  const real = told ?? (await realpath(path));
  const [there, here] = [await lstat(real).catch(() => null), await file.stat()];
  if (there?.isFile() !== true || there.dev !== here.dev || there.ino !== here.ino) return null;
  return told === null && (await realpath(real)) !== real ? null : real;
};

/** Why a file that lies there may not be collected, in a sentence, or null. */
export type PathFault = (realPath: string) => string | null;

const describe = async (file: FileHandle, path: string, pathFault: PathFault): Promise<OpenedSource | Refused> => {
  const stats = await file.stat();
  if (!stats.isFile()) return refuse(`${path}: expected a regular file, got ${kindName(stats)}`);
  const real = await placeOf(file, path);
  if (real === null) return refuse(`${path}: changed while it was opened`);
  const fault = pathFault(real);
  if (fault !== null) return refuse(`${path}: ${fault}`);
  const isMadeUp = await isOnMadeUpFileSystem(real);
  return {
    kind: 'opened',
    file,
    path: real,
    isLinked: isElsewhere(path, real),
    name: boundName(path),
    sizeBytes: stats.size,
    isMadeUp,
  };
};

/** Opens for reading; the caller closes the file. A relative path starts in the working folder. */
export const openSource = async (
  asked: string,
  workingFolder: string,
  pathFault: PathFault,
): Promise<OpenedSource | Refused> => {
  const path = resolve(workingFolder, asked);
  let file: FileHandle | null = null;
  try {
    // looked at before it is opened: opening some devices does something
    const stats = await stat(path);
    if (!stats.isFile()) return refuse(`${path}: expected a regular file, got ${kindName(stats)}`);
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const opened = await describe(file, path, pathFault);
    if (opened.kind === 'opened') file = null;
    return opened;
  } catch (fault) {
    return refuse(sentenceFor(path, fault));
  } finally {
    await file?.close();
  }
};
