/** Who this device is: read from its state folder, or enrolled now. */

import type { EnrolIo } from './enrol.ts';
import { enrol } from './enrol.ts';
import { type Identity, readIdentity, writeIdentity } from './identity-file.ts';
import { type KeyFiles, type KeyRing, openKeyRing } from './key-ring.ts';
import { type DeviceKeys, loadKeys } from './keys.ts';
import { parseServerUrl } from './server-url.ts';

type Wanted = {
  readonly serverUrl: string | null;
  readonly token: string | null;
  readonly insecure: boolean;
  readonly stateFolder: string;
  readonly keyFiles: KeyFiles;
  /** As for `openKeyRing`. */
  readonly keyDays: number | null;
  readonly localNow: () => number;
  readonly identityFile: string;
};

/** What was given does not suffice or fit: a sentence for who started the agent. */
export class SetupFault extends Error {
  override readonly name = 'SetupFault';
}

const requireUrl = (text: string, insecure: boolean): string => {
  try {
    return parseServerUrl(text, insecure);
  } catch (fault) {
    throw new SetupFault(`--server: ${fault instanceof Error ? fault.message : String(fault)}`, { cause: fault });
  }
};

const known = (identity: Identity, wanted: Wanted): Identity => {
  // a stored address was accepted when it was given
  const serverUrl = wanted.serverUrl === null ? identity.serverUrl : requireUrl(wanted.serverUrl, wanted.insecure);
  if (serverUrl === identity.serverUrl) return identity;
  const moved = { ...identity, serverUrl };
  writeIdentity(wanted.identityFile, moved);
  return moved;
};

const enrolNow = async (io: Omit<EnrolIo, 'keys'>, keys: DeviceKeys, wanted: Wanted): Promise<Identity> => {
  const { token, stateFolder } = wanted;
  if (token === null || wanted.serverUrl === null)
    throw new SetupFault(
      `${stateFolder}: this device is not enrolled yet: expected --server and --token-file (or --token), got ${wanted.serverUrl === null ? 'no server' : 'no token'}. Ask the server for an enrolment token.`,
    );
  const serverUrl = requireUrl(wanted.serverUrl, wanted.insecure);
  const identity = await enrol({ ...io, keys }, { serverUrl, token, stateFolder });
  writeIdentity(wanted.identityFile, identity);
  return identity;
};

/**
 * The identity and its keys. Enrols when there is none. Throws SetupFault for what was given wrongly, and a sentence
 * when the server refuses or is away.
 */
export const establishIdentity = async (
  io: Omit<EnrolIo, 'keys'>,
  wanted: Wanted,
): Promise<{ readonly identity: Identity; readonly keys: KeyRing; readonly isNew: boolean }> => {
  const stored = readIdentity(wanted.identityFile);
  const { keyFiles: files, keyDays, localNow } = wanted;
  const ringOf = (identity: Identity): KeyRing => openKeyRing({ files, identity, keyDays, localNow });
  if (stored === null) {
    const identity = await enrolNow(io, loadKeys(files.keys), wanted);
    return { identity, keys: ringOf(identity), isNew: true };
  }
  const keys = ringOf(stored);
  return { identity: known(stored, wanted), keys, isNew: false };
};
