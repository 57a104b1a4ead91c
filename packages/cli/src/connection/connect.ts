/** Options, environment or profile → a client. One source or the other: a secret never meets another server. */
import { type Client, createClient } from '@longarm/client/create-client';
import type { SessionKeeper } from '@longarm/client/person-session';
import { usageFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';
import type { ConnectionFlags } from './flags.ts';
import { type Profile, readProfile, writeProfile } from './profile.ts';
import { readCa } from './read-ca.ts';
import { readSecretFile } from './read-secret.ts';

/** Throws a usage fault unless the text is an http or https URL. */
export const requireServerUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageFault(`Expected the server as https://HOST:PORT, got ${JSON.stringify(text)}.`);
  }
  return text;
};

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** What options and environment tell, an option winning over its variable; null when they name no server. */
const explicitProfile = async (io: Io, flags: ConnectionFlags): Promise<Profile | null> => {
  const server = flags.server ?? given(io.env.LONGARM_SERVER);
  if (server === undefined) {
    const orphan = flags.clientId ?? flags.secretFile ?? flags.ca ?? flags.tenant;
    if (orphan === undefined) return null;
    throw usageFault('--tenant, --client-id, --secret-file and --ca go together with --server, which is not given.');
  }
  const clientId = flags.clientId ?? given(io.env.LONGARM_CLIENT_ID);
  const secretFile = flags.secretFile ?? given(io.env.LONGARM_CLIENT_SECRET_FILE);
  if (clientId === undefined || secretFile === undefined) {
    throw usageFault(
      'Expected --client-id and --secret-file (or LONGARM_CLIENT_ID and LONGARM_CLIENT_SECRET_FILE) with the server.',
      'The profile is not used for a server that is given: its secret may belong to another one.',
    );
  }
  const ca = flags.ca ?? given(io.env.LONGARM_CA);
  return {
    server: requireServerUrl(server),
    tenant: flags.tenant ?? given(io.env.LONGARM_TENANT) ?? 'default',
    clientId,
    secret: await readSecretFile(secretFile),
    caPem: ca === undefined ? null : await readCa(ca),
  };
};

/** The session of the profile on disk, as long as that is still of this server and application. */
const sessionKeeper = (io: Io, profile: Profile): SessionKeeper => ({
  read: async () => {
    const kept = await readProfile(io);
    const isSame = kept?.server === profile.server && kept.clientId === profile.clientId;
    return (isSame ? kept.session : profile.session) ?? null;
  },
  write: async (session) => {
    await writeProfile(io, { ...profile, session });
  },
});

/** The client that a profile describes; makes no request yet. */
export const clientOf = (io: Io, profile: Profile, patienceSeconds: number): Client =>
  createClient({
    server: profile.server,
    credentials: {
      tenant: profile.tenant,
      clientId: profile.clientId,
      ...(profile.secret === null ? { session: sessionKeeper(io, profile) } : { clientSecret: profile.secret }),
    },
    transport: io.transport,
    world: io.world,
    caPem: profile.caPem,
    limitPatienceSeconds: patienceSeconds,
  });

/** `patienceSeconds`: how long a command that waits anyway waits out 429, unless --patience says otherwise. */
export const connect = async (io: Io, flags: ConnectionFlags, patienceSeconds = 0): Promise<Client> => {
  const profile = (await explicitProfile(io, flags)) ?? (await readProfile(io));
  if (profile === null) {
    throw usageFault(
      'No server is known: there is no profile, and neither --server nor LONGARM_SERVER is given.',
      'Sign in first: `longarm login --server https://HOST:PORT --client-id ID`.',
    );
  }
  return clientOf(io, profile, flags.patience ?? patienceSeconds);
};
