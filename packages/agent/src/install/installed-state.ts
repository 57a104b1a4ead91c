/** The state folder of an installed agent, as seen by who installs, asks or removes it. */
import { accessSync, constants, existsSync, rmdirSync, rmSync } from 'node:fs';
import { type StateFolder, stateFolder } from '../commands/state-folder.ts';
import { type Identity, readIdentity } from '../identity/identity-file.ts';
import { type LockIo, lockHolder, takeLock } from '../platform/instance-lock.ts';
import { removeTree } from '../platform/remove-tree.ts';
import type { StepIo } from './step.ts';

/** An agent that is told to stop gives its scripts 5 seconds and then needs no more than a moment. */
const END_MS = 30_000;
const ASK_MS = 100;

export type StateIo = {
  readonly platform: LockIo;
  readonly pid: number;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

const requireState = (path: string): void => {
  if (existsSync(stateFolder(path).identity)) return;
  throw new Error(
    `${path}: expected the state folder of an agent, with its identity.json, found none. Nothing was removed.`,
  );
};

const waitForEnd = async (io: StateIo, path: string): Promise<void> => {
  const { lock } = stateFolder(path);
  for (let waited = 0; waited < END_MS; waited += ASK_MS) {
    if (lockHolder(io.platform, lock) === null) return;
    await io.sleep(ASK_MS);
  }
  throw new Error(`${path}: expected the agent (process ${lockHolder(io.platform, lock)}) to end, it goes on. End it.`);
};

/** Every path that the agent keeps in the folder, whatever joins them later. */
const keptIn = (folders: StateFolder): readonly string[] =>
  Object.values(folders).filter((path) => typeof path === 'string');

/** By name: what else lies in the folder is not the agent's, and stays with it. The lock goes last. */
const removeState = (path: string): void => {
  const folders = stateFolder(path);
  const { lock } = folders;
  for (const kept of keptIn(folders).filter((name) => name !== lock))
    for (const name of [kept, `${kept}.new`]) removeTree(name);
  rmSync(lock, { force: true });
  try {
    rmdirSync(path);
  } catch (cause) {
    throw new Error(
      `${path}: the agent's own files are removed; the folder stays, since it holds files of somebody else.`,
      { cause },
    );
  }
};

/** What the steps do with a state folder. */
export const stateSteps = (io: StateIo): StepIo['state'] => ({
  waitForEnd: (path) => waitForEnd(io, path),
  require: requireState,
  claim: (path) => void takeLock(io.platform, stateFolder(path).lock, io.pid),
  remove: removeState,
});

/** Who the device is by this folder, and which process uses it. Throws a sentence when it may not be looked into. */
export const readState = (
  io: Pick<StateIo, 'platform'>,
  path: string,
): { readonly identity: Identity | null; readonly pid: number | null } => {
  if (!existsSync(path)) return { identity: null, pid: null };
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`${path}: expected to be allowed to read it. Ask as root, on Windows as an administrator.`, {
      cause,
    });
  }
  const { identity, lock } = stateFolder(path);
  return { identity: readIdentity(identity), pid: lockHolder(io.platform, lock) };
};
