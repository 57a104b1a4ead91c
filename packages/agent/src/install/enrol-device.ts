/** Enrols this device into a state folder, without starting an agent. */
import { readFileSync } from 'node:fs';
import { prepareState, stateFolderFault } from '../commands/prepare-state.ts';
import { stateFolder } from '../commands/state-folder.ts';
import { establishIdentity } from '../identity/establish-identity.ts';
import type { Fetch } from '../identity/server-trust.ts';
import { takeLock } from '../platform/instance-lock.ts';
import type { Platform } from '../platform/platform.ts';

export type Enrolment = {
  readonly serverUrl: string;
  /** `-` is standard input. */
  readonly tokenFile: string;
  readonly insecure: boolean;
  readonly stateFolder: string;
  /** Its origin, null to connect directly. */
  readonly proxy: string | null;
};

type EnrolDeviceIo = {
  readonly fetch: Fetch;
  readonly platform: Platform;
  readonly pid: number;
  readonly pause: (delayMs: number) => Promise<void>;
};

const proxied =
  (fetch: Fetch, proxy: string | null): Fetch =>
  (url, init = {}) =>
    fetch(url, proxy === null ? init : { ...init, proxy });

/** Throws a sentence when the folder does not fit, an agent runs in it, or the server refuses. */
export const enrolDevice =
  (io: EnrolDeviceIo) =>
  async ({ tokenFile, stateFolder: path, serverUrl, insecure, proxy }: Enrolment): Promise<void> => {
    const token = readFileSync(tokenFile === '-' ? 0 : tokenFile, 'utf8').trim();
    const fault = stateFolderFault(path);
    if (fault !== null) throw new Error(fault);
    const folders = stateFolder(path);
    prepareState(folders);
    const letGo = takeLock(io.platform, folders.lock, io.pid);
    try {
      // no age is asked for here: the agent that runs later does that
      const keys = { keyFiles: folders, keyDays: null, localNow: () => 0 };
      const files = { stateFolder: path, ...keys, identityFile: folders.identity };
      const world = { platform: io.platform, fetch: proxied(io.fetch, proxy), pause: io.pause };
      await establishIdentity(world, { ...files, serverUrl, token, insecure });
    } finally {
      letGo();
    }
  };
