/** As whom `longarm login` signs in, and by what: as the options say, or as a person at a terminal is asked. */
import { findCommandLineClient } from '@longarm/client/find-command-line-client';
import type { SessionIo } from '@longarm/client/person-session';
import { usageFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';
import { askSecret, readSecretFile, readSecretStdin } from './read-secret.ts';

export type CredentialFlags = {
  readonly clientId?: string;
  readonly secretFile?: string;
  readonly secretStdin?: true;
  readonly deviceCode?: true;
};

/** `secret`: of an application; null for a person, who signs in on a page. */
export type Chosen = { readonly clientId: string; readonly secret: string | null };

const readSecret = async (io: Io, flags: CredentialFlags): Promise<string> => {
  if (flags.secretFile !== undefined) return await readSecretFile(flags.secretFile);
  return flags.secretStdin ? await readSecretStdin(io) : await askSecret(io);
};

const EITHER =
  'An application: --client-id ID with --secret-file FILE or --secret-stdin. A person: --device-code, or a terminal.';

/** The server names no application for the command line: whoever sits at a terminal may know one. */
const askClient = async (io: Io, flags: CredentialFlags): Promise<Chosen> => {
  const ask = 'Make one on the server: `longarm app create command-line --native`; or give --client-id.';
  const none = 'Expected a server that names an application for the command line, got one that names none or several.';
  if (!io.isTty) throw usageFault(none, ask);
  const clientId = (await io.promptText('Client id of the application to sign in by'))?.trim() ?? '';
  if (clientId === '') throw usageFault(none, ask);
  if (flags.deviceCode) return { clientId, secret: null };
  const secret = await io.promptSecret('Client secret (empty: sign in as a person, on a page)');
  if (secret === null) throw usageFault('Expected a client secret or an empty line, got none.', EITHER);
  return { clientId, secret: secret === '' ? null : secret };
};

/** Asks the server where no application is given. Throws CliFault, and what the client throws. */
export const chooseCredentials = async (
  io: Io,
  flags: CredentialFlags,
  to: Omit<SessionIo, 'clientId'>,
): Promise<Chosen> => {
  const { clientId, deviceCode } = flags;
  if (clientId !== undefined) return { clientId, secret: deviceCode ? null : await readSecret(io, flags) };
  if (flags.secretFile !== undefined || flags.secretStdin)
    throw usageFault('Expected --client-id with the secret, got the secret alone.', EITHER);
  if (!deviceCode && !io.isTty) throw usageFault('Expected --client-id ID, got none.', EITHER);
  const found = await findCommandLineClient(to);
  return found === null ? await askClient(io, flags) : { clientId: found, secret: null };
};
