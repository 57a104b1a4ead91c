/** `install`, `uninstall` and `status`: reads what is wanted, makes the steps, says or does them. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { OsPlatform } from '@longarm/contract/machine';
import { stateFolder } from '../commands/state-folder.ts';
import { parseServerUrl } from '../identity/server-url.ts';
import type { Enrolment } from './enrol-device.ts';
import { readState, type StateIo, stateSteps } from './installed-state.ts';
import { installSteps, placed, type Site, uninstallSteps } from './plan.ts';
import { type Command, SERVICES } from './service.ts';
import { earlierOptions, type KeptOptions, keptOptions, readKept, serviceArguments } from './service-arguments.ts';
import { readServiceOptions, SERVICE_USAGE, type ServiceOptions, type ServiceVerb } from './service-options.ts';
import { serviceProxy } from './service-proxy.ts';
import { serviceStatus } from './service-status.ts';
import { describeStep, performStep, type Step } from './step.ts';

export type ServiceIo = StateIo & {
  readonly osPlatform: OsPlatform;
  /** Number of the user that this runs as; null on Windows, which has none. */
  readonly userId: number | null;
  /** This program's own file; null where it is not one file. */
  readonly executable: string | null;
  /** Runs a tool of the system and gives what it printed. Throws a sentence when it is not there or fails. */
  readonly run: (command: Command) => string;
  readonly enrol: (enrolment: Enrolment) => Promise<void>;
  /** The proxy that the environment leads to for an address; null for none. */
  readonly proxyFor: (address: string) => string | null;
  readonly say: (line: string) => void;
};

type Work = { readonly io: ServiceIo; readonly site: Site; readonly options: ServiceOptions };

const carryOut = async (
  { io, options }: Work,
  steps: readonly Step[],
  enrol: (serverUrl: string) => Promise<void>,
): Promise<void> => {
  const isDry = options['dry-run'] === true;
  for (const step of steps) {
    io.say(`${isDry ? 'would ' : ''}${describeStep(step)}`);
    if (!isDry) await performStep({ run: io.run, enrol, state: stateSteps(io) }, step);
  }
};

/** Changing this device is for its administrator; below a folder, for whoever may write there. */
const requireAdministrator = ({ io, site, options }: Work): void => {
  if (site.root !== null || options['dry-run'] === true || io.userId === null || io.userId === 0) return;
  throw new Error(`expected to run as root, as with sudo, got the user with number ${io.userId}`);
};

/** The server to enrol at, or null where the device is enrolled there already. */
const serverToEnrolAt = ({ io, site, options }: Work): { readonly enrolAt: string | null; readonly url: string } => {
  const { identity } = readState(io, placed(site, site.service.state));
  const given = options.server === undefined ? null : parseServerUrl(options.server, options.insecure === true);
  if (identity !== null) {
    if (given !== null && given !== identity.serverUrl)
      throw new Error(
        `this device is enrolled at ${identity.serverUrl}: expected no other --server, got ${given}. Run \`longarm-agent uninstall --purge\` first to make it a machine of another.`,
      );
    io.say(`already enrolled at ${identity.serverUrl} as ${identity.machineId}: that is kept`);
    return { enrolAt: null, url: identity.serverUrl };
  }
  if (given === null)
    throw new Error('this device is not enrolled yet: expected --server and --token-file, got no --server');
  if (options['token-file'] === undefined)
    throw new Error('--token-file: expected the file with the enrolment token, or - for standard input, got none');
  return { enrolAt: given, url: given };
};

/** A policy that is not there would keep the agent from starting, so this says it before anything is changed. */
const requirePolicy = ({ site }: Work, { policy }: KeptOptions): void => {
  if (policy === undefined || existsSync(placed(site, policy))) return;
  throw new Error(
    `--policy: expected a file at ${placed(site, policy)}, found none. The agent does not start without it.`,
  );
};

const argumentsOf = (work: Work, proxy: string | null): Pick<Parameters<typeof installSteps>[1], 'args' | 'kept'> => {
  const { io, site, options } = work;
  const { serviceOptions: path } = stateFolder(site.service.state);
  const kept = keptOptions(options, readKept(placed(site, path)), io.osPlatform);
  requirePolicy(work, kept);
  for (const earlier of earlierOptions(options, kept)) io.say(`kept from an earlier install: ${earlier}`);
  return { args: serviceArguments(kept, proxy), kept: { path, content: `${JSON.stringify(kept)}\n` } };
};

const install = async (work: Work): Promise<void> => {
  const { io, site, options } = work;
  if (io.executable === null)
    throw new Error(
      'expected to run as one executable, which can be copied, got a program of many files. npm run build makes one.',
    );
  requireAdministrator(work);
  const { enrolAt, url } = serverToEnrolAt(work);
  const proxy = serviceProxy(options.proxy ?? io.proxyFor(url));
  const enrol = (serverUrl: string) =>
    io.enrol({
      serverUrl,
      proxy,
      tokenFile: options['token-file'] ?? '-',
      insecure: options.insecure === true,
      stateFolder: placed(site, site.service.state),
    });
  await carryOut(
    work,
    installSteps(site, { executable: io.executable, serverUrl: enrolAt, ...argumentsOf(work, proxy) }),
    enrol,
  );
  if (options['dry-run'] !== true) io.say(`installed: ${placed(site, site.service.executable)} status tells how it is`);
};

const uninstall = async (work: Work): Promise<void> => {
  const { site, options, io } = work;
  requireAdministrator(work);
  await carryOut(work, uninstallSteps(site, options.purge === true), () => Promise.resolve());
  if (options.purge !== true) io.say(`the state is left in ${placed(site, site.service.state)}`);
  else if (options['dry-run'] !== true) io.say('the machine stays in the list of its server, which was told nothing');
};

const siteOf = (osPlatform: OsPlatform, root: string | null): Site => {
  if (root !== null && (osPlatform === 'Windows' || !isAbsolute(root)))
    throw new Error(
      `--root: expected the whole path of a folder, and another system than Windows, got ${root} on ${osPlatform}`,
    );
  return { service: SERVICES[osPlatform], root };
};

/** Gives the exit code: 0 done or running, 1 not running. Throws a sentence for what was given wrongly or is refused. */
export const serviceCommand = async (io: ServiceIo, verb: ServiceVerb, args: readonly string[]): Promise<number> => {
  const options = readServiceOptions(verb, args);
  if (options.help === true) {
    io.say(SERVICE_USAGE.trimEnd());
    return 0;
  }
  const site = siteOf(io.osPlatform, options.root ?? null);
  const work: Work = { io, options, site };
  switch (verb) {
    case 'install':
      await install(work);
      return 0;
    case 'uninstall':
      await uninstall(work);
      return 0;
    case 'status':
      return serviceStatus(io, site, options.json === true) ? 0 : 1;
  }
};
