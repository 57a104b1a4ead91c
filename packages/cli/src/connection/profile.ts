/** Where and as whom to connect, as `longarm login` saved it. XDG Base Directory Specification 0.8. */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PersonSession } from '@longarm/client/person-session';
import { z } from 'zod';
import { CliFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';

export const Profile = z.object({
  server: z.url(),
  tenant: z.string().min(1),
  clientId: z.string().min(1),
  /** Of an application; null for a person. */
  secret: z.string().min(1).nullable(),
  /** Of a person who signed in. */
  session: PersonSession.optional(),
  caPem: z.string().nullable(),
});
export type Profile = z.infer<typeof Profile>;

const profilePath = (io: Pick<Io, 'env' | 'homeFolder'>): string => {
  const configured = io.env.XDG_CONFIG_HOME ?? '';
  return join(configured.startsWith('/') ? configured : join(io.homeFolder, '.config'), 'longarm', 'profile.json');
};

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** It holds a secret: a file that others may read is not used. */
const requirePrivate = async (path: string): Promise<void> => {
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const sentence = `Expected a profile that only you can read, got mode ${(mode & 0o777).toString(8)} on ${path}.`;
    throw new CliFault('local', sentence, `Run \`chmod 600 ${path}\`, and consider a new secret.`);
  }
};

const parseProfile = (text: string, path: string): Profile => {
  try {
    return Profile.parse(JSON.parse(text));
  } catch {
    throw new CliFault('local', `The profile ${path} cannot be read.`, 'Sign in again: `longarm login`.');
  }
};

/** The saved profile, or null when there is none. Throws `CliFault` when it cannot or must not be used. */
export const readProfile = async (io: Pick<Io, 'env' | 'homeFolder'>): Promise<Profile | null> => {
  const path = profilePath(io);
  try {
    await requirePrivate(path);
    return parseProfile(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** Saves it for the owner alone, whole or not at all. Returns where. */
export const writeProfile = async (io: Pick<Io, 'env' | 'homeFolder' | 'world'>, profile: Profile): Promise<string> => {
  const path = profilePath(io);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${io.world.randomId()}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(profile, null, 2)}\n`).finally(() => file.close());
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return path;
};
