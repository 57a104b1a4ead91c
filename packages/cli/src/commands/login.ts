import { serverBase } from '@longarm/client/endpoint-url';
import { fetchPinnedCa } from '@longarm/client/fetch-pinned-ca';
import { type DeviceCode, type SessionIo, signInByDeviceCode } from '@longarm/client/person-session';
import { trust } from '@longarm/client/transport';
import { type Command, Option } from 'commander';
import { addExamples, addJsonFlag, type JsonFlag } from '../arguments/remote-command.ts';
import { type CredentialFlags, chooseCredentials } from '../connection/choose-credentials.ts';
import { clientOf, requireServerUrl } from '../connection/connect.ts';
import { writeProfile } from '../connection/profile.ts';
import { readCa } from '../connection/read-ca.ts';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = JsonFlag &
  CredentialFlags & {
    readonly server: string;
    readonly tenant: string;
    readonly ca?: string;
    readonly caSha256?: string;
  };

const readCaOf = async (io: Io, flags: Flags): Promise<string | null> => {
  if (flags.ca !== undefined) return await readCa(flags.ca);
  if (flags.caSha256 === undefined) return null;
  return await fetchPinnedCa(flags.server, flags.caSha256, { transport: io.transport, now: io.world.now });
};

/** Plain HTTP that leaves this machine. */
const isExposed = (server: URL): boolean =>
  server.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(server.hostname);

/** A person opens the page anywhere, and this waits for it. */
const signInAsPerson = (io: Io, to: SessionIo) => {
  const show = (code: DeviceCode) =>
    io.stderr.write(
      `Open ${visible(code.verification_uri)} and enter the code ${visible(code.user_code)} there. Waiting …\n`,
    );
  return signInByDeviceCode(to, show, io.interruption());
};

/** A token is asked for before anything is saved, so that a profile that is there worked once. */
const login = async (io: Io, flags: Flags): Promise<void> => {
  const server = requireServerUrl(flags.server);
  const { tenant } = flags;
  const caPem = await readCaOf(io, flags);
  if (isExposed(new URL(server))) {
    await io.stderr.write('longarm: the secret goes to this server without TLS, readable on the way. Use https://.\n');
  }
  const to = { server: serverBase(server), tenant, transport: io.transport, trusted: trust(caPem), world: io.world };
  const { clientId, secret } = await chooseCredentials(io, flags, to);
  const profile = { server, tenant, clientId, caPem, secret };
  const session = secret === null ? { session: await signInAsPerson(io, { ...to, clientId }) } : {};
  if (secret !== null) await clientOf(io, profile, 0).signIn();
  const path = await writeProfile(io, { ...profile, ...session });
  if (flags.json) return printJson(io, { server, tenant, clientId, profile: path });
  await printLines(io, [`Signed in to ${server} as ${visible(clientId)}. Saved in ${path}.`]);
};

export const addLogin = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('login')
    .description('save where and as whom to connect, after trying it')
    .requiredOption('--server <url>', 'address of the server')
    .option('--client-id <id>', "client id of the application; without it, a person signs in by the server's own")
    .option('--tenant <id>', 'tenant: a GUID, or default', 'default')
    .addOption(new Option('--secret-file <file>', 'file that holds the client secret').conflicts('secretStdin'))
    .addOption(
      new Option('--device-code', 'sign in as a person, on a page that any browser may open').conflicts([
        'secretFile',
        'secretStdin',
      ]),
    )
    .option(
      '--secret-stdin',
      'read the client secret from standard input; without either, it is asked for at a terminal',
    )
    .addOption(new Option('--ca <file>', "CA to trust instead of the system's, PEM").conflicts('caSha256'))
    .option('--ca-sha256 <fingerprint>', 'fetch the CA from the server and trust it if its SHA-256 is this');
  addJsonFlag(command);
  addExamples(command, [
    'longarm login --server https://lr.example',
    'longarm login --server https://lr.example:8443 --client-id 7f9c… --ca-sha256 9f86d081…',
    'longarm login --server https://lr.example --client-id 7f9c… --secret-file ./secret',
    'longarm login --server https://lr.example --device-code',
  ]);
  command.action((flags: Flags) => login(parts.io, flags));
};
