import { serverBase } from '@longarm/client/endpoint-url';
import { fetchPinnedCa } from '@longarm/client/fetch-pinned-ca';
import { type DeviceCode, signInByDeviceCode } from '@longarm/client/person-session';
import { trust } from '@longarm/client/transport';
import { type Command, Option } from 'commander';
import { addExamples, addJsonFlag, type JsonFlag } from '../arguments/remote-command.ts';
import { clientOf, requireServerUrl } from '../connection/connect.ts';
import { type Profile, writeProfile } from '../connection/profile.ts';
import { readCa } from '../connection/read-ca.ts';
import { askSecret, readSecretFile, readSecretStdin } from '../connection/read-secret.ts';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = JsonFlag & {
  readonly server: string;
  readonly clientId: string;
  readonly tenant: string;
  readonly secretFile?: string;
  readonly secretStdin?: true;
  readonly deviceCode?: true;
  readonly ca?: string;
  readonly caSha256?: string;
};

const readCaOf = async (io: Io, flags: Flags): Promise<string | null> => {
  if (flags.ca !== undefined) return await readCa(flags.ca);
  if (flags.caSha256 === undefined) return null;
  return await fetchPinnedCa(flags.server, flags.caSha256, { transport: io.transport, now: io.world.now });
};

const readSecret = async (io: Io, flags: Flags): Promise<string> => {
  if (flags.secretFile !== undefined) return await readSecretFile(flags.secretFile);
  return flags.secretStdin ? await readSecretStdin(io) : await askSecret(io);
};

/** Plain HTTP that leaves this machine. */
const isExposed = (server: URL): boolean =>
  server.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(server.hostname);

/** A person opens the page anywhere, and this waits for it. */
const signInAsPerson = async (io: Io, to: Pick<Profile, 'server' | 'tenant' | 'clientId' | 'caPem'>) => {
  const show = (code: DeviceCode) =>
    io.stderr.write(
      `Open ${visible(code.verification_uri)} and enter the code ${visible(code.user_code)} there. Waiting …\n`,
    );
  const { server, tenant, clientId, caPem } = to;
  const session = await signInByDeviceCode(
    { server: serverBase(server), tenant, clientId, transport: io.transport, trusted: trust(caPem), world: io.world },
    show,
    io.interruption(),
  );
  return { ...to, secret: null, session };
};

/** A token is asked for before anything is saved, so that a profile that is there worked once. */
const login = async (io: Io, flags: Flags): Promise<void> => {
  const server = requireServerUrl(flags.server);
  const { tenant, clientId } = flags;
  const to = { server, tenant, clientId, caPem: await readCaOf(io, flags) };
  if (isExposed(new URL(server))) {
    await io.stderr.write('longarm: the secret goes to this server without TLS, readable on the way. Use https://.\n');
  }
  const profile = flags.deviceCode ? await signInAsPerson(io, to) : { ...to, secret: await readSecret(io, flags) };
  if (profile.secret !== null) await clientOf(io, profile, 0).signIn();
  const path = await writeProfile(io, profile);
  if (flags.json) return printJson(io, { server, tenant, clientId, profile: path });
  await printLines(io, [`Signed in to ${server} as ${clientId}. Saved in ${path}.`]);
};

export const addLogin = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('login')
    .description('save where and as whom to connect, after trying it')
    .requiredOption('--server <url>', 'address of the server')
    .requiredOption('--client-id <id>', 'client id of the application')
    .option('--tenant <id>', 'tenant: a GUID, or default', 'default')
    .addOption(new Option('--secret-file <file>', 'file that holds the client secret').conflicts('secretStdin'))
    .addOption(
      new Option('--device-code', 'sign in as a person, on a page that any browser may open').conflicts([
        'secretFile',
        'secretStdin',
      ]),
    )
    .option('--secret-stdin', 'read the client secret from standard input; without either, it is asked for')
    .addOption(new Option('--ca <file>', "CA to trust instead of the system's, PEM").conflicts('caSha256'))
    .option('--ca-sha256 <fingerprint>', 'fetch the CA from the server and trust it if its SHA-256 is this');
  addJsonFlag(command);
  addExamples(command, [
    'longarm login --server https://lr.example:8443 --client-id 7f9c… --ca-sha256 9f86d081…',
    'longarm login --server https://lr.example --client-id 7f9c… --secret-file ./secret',
    'longarm login --server https://lr.example --client-id 2b11… --device-code',
  ]);
  command.action((flags: Flags) => login(parts.io, flags));
};
