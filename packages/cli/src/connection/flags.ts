/** The options by which a command finds its server; without them the environment or the profile tells. */
import type { Command } from 'commander';

export type ConnectionFlags = {
  readonly server?: string;
  readonly tenant?: string;
  readonly clientId?: string;
  readonly secretFile?: string;
  readonly ca?: string;
  readonly patience?: number;
};

export const CONNECTION_HELP = `Connection: the profile of \`longarm login\`, unless --server or LONGARM_SERVER is given; then nothing of the
profile is used. Environment: LONGARM_SERVER, LONGARM_TENANT, LONGARM_CLIENT_ID, LONGARM_CLIENT_SECRET_FILE,
LONGARM_CA (a file).`;

export const addConnectionFlags = (command: Command, readSeconds: (text: string) => number): Command =>
  command
    .option('--server <url>', 'address of the server, instead of the profile')
    .option('--tenant <id>', 'tenant: a GUID, or default')
    .option('--client-id <id>', 'client id of the application')
    .option('--secret-file <file>', 'file that holds the client secret')
    .option('--ca <file>', "CA to trust instead of the system's, PEM")
    .option(
      '--patience <seconds>',
      'wait this long where the server says "too many requests" (default: 0)',
      readSeconds,
    );
