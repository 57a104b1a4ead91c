/** The command line and the environment, read once into a frozen record. All faults are told at once. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ProxySettings, proxySettings } from './proxy-for.ts';

export const USAGE = `longarm-agent: executes what a Longarm server signs, and reports what happened.

  longarm-agent --server URL --state DIR [--token T | --token-file F] [--insecure] [--proxy URL] [--work-mib N]
  longarm-agent rotate-key --state DIR     another key for this device: by the agent that runs, or the next one
  longarm-agent install|uninstall|status   as a part of this device; each with --help

  --server URL     address of the server; needed for the first start, stored for later ones
  --state DIR      folder for the device's key, journal and working folder; made when it is not there
  --token T        enrolment token, for trying out: others on this device can see it
  --token-file F   file with the enrolment token; - reads standard input
  --policy FILE    what this device allows; otherwise policy.json in DIR or in /etc/longarm-agent, where there is one
  --require-signatures  run only scripts that an author whom the policy lists has signed
  --insecure       accept http: to a server that is not this device
  --proxy URL      HTTP proxy to the server; otherwise HTTPS_PROXY, HTTP_PROXY and NO_PROXY are heeded
  --work-mib N     most MiB in the working folder, where PutFile puts and scripts run; what is oldest makes way.
                   Default 1024; also LONGARM_WORK_MIB
  --key-days N     have the device's key followed by another when it is so many days old; otherwise only when it is asked for
  --help           this text
  --version        the version

The token is needed once. SIGTERM and SIGINT stop what runs and end the agent.
`;

export type RunConfig = {
  readonly kind: 'run';
  readonly serverUrl: string | null;
  /** Absolute. */
  readonly stateFolder: string;
  readonly token: string | null;
  readonly insecure: boolean;
  /** Absolute; null: the usual places. */
  readonly policyFile: string | null;
  readonly requireSignatures: boolean;
  readonly proxy: ProxySettings;
  /** Days after which another key is wanted; null: never by itself. */
  readonly keyDays: number | null;
  /** Most bytes in the working folder. */
  readonly workBytes: number;
  /** How it was called, for the log: without what a token or a proxy keeps secret. */
  readonly shown: string;
};

const SERVICE_VERBS = ['install', 'uninstall', 'status'] as const;

export type ServiceConfig = {
  readonly kind: 'service';
  readonly verb: (typeof SERVICE_VERBS)[number];
  /** What stands behind the verb. */
  readonly args: readonly string[];
  /** What the environment says of proxies. */
  readonly proxy: ProxySettings;
};

/** `stateFolder` is absolute. */
export type RotateKeyConfig = { readonly kind: 'rotate-key'; readonly stateFolder: string };

export type Config =
  | RunConfig
  | RotateKeyConfig
  | ServiceConfig
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

type Sources = {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const VALUED = [
  '--server',
  '--state',
  '--token',
  '--token-file',
  '--policy',
  '--proxy',
  '--work-mib',
  '--key-days',
] as const;
type Valued = (typeof VALUED)[number];
const FLAGS = ['--insecure', '--require-signatures', '--help', '--version'] as const;
type Flag = (typeof FLAGS)[number];

type Parsed = {
  readonly values: ReadonlyMap<Valued, string>;
  readonly flags: ReadonlySet<Flag>;
  readonly faults: string[];
};

/** What stands there, unless it is the next option: a forgotten value must not swallow it. */
const valueAt = (args: readonly string[], at: number): string | null => {
  const text = args[at];
  return text === undefined || text.startsWith('--') ? null : text;
};

const parse = (args: readonly string[]): Parsed => {
  const values = new Map<Valued, string>();
  const flags = new Set<Flag>();
  const faults: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [text = '', attached] = (args[at] ?? '').split(/=(.*)/s);
    const flag = FLAGS.find((name) => name === text && attached === undefined);
    const valued = VALUED.find((name) => name === text);
    if (flag !== undefined) flags.add(flag);
    else if (valued === undefined) faults.push(`expected an option, got ${JSON.stringify(text)}. See --help.`);
    else {
      const value = attached ?? valueAt(args, at + 1);
      if (attached === undefined && value !== null) at++;
      if (value === null || value === '') faults.push(`${valued}: expected a value behind it, got none`);
      else if (values.has(valued)) faults.push(`${valued}: given twice`);
      else values.set(valued, value);
    }
  }
  return { values, flags, faults };
};

const readToken = ({ values, faults }: Parsed): string | null => {
  const file = values.get('--token-file');
  const token = values.get('--token') ?? null;
  if (file === undefined) return token;
  if (token !== null) faults.push('expected --token or --token-file, got both');
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').trim();
  } catch (fault) {
    faults.push(`--token-file: ${fault instanceof Error ? fault.message : String(fault)}`);
    return null;
  }
};

/** The arguments that are known, on one line. */
const shownArguments = ({ values, flags }: Parsed): string =>
  [
    ...[...values].map(([name, value]) => {
      if (name === '--token') return `${name} (not shown)`;
      return `${name} ${name === '--proxy' ? (URL.parse(value)?.origin ?? '(not shown)') : value}`;
    }),
    ...flags,
  ].join(' ');

const WORK_MIB = 1_024;
const MIB = 1_048_576;
/** A PiB: beyond it a mistake, not a disk. */
const MOST_WORK_MIB = 1_073_741_824;

/** The command line stands above the environment. Fractions are allowed. */
const readWorkBytes = ({ values, faults }: Parsed, { environment }: Sources): number => {
  const given = values.get('--work-mib');
  const name = given === undefined ? 'LONGARM_WORK_MIB' : '--work-mib';
  const text = given ?? (environment.LONGARM_WORK_MIB || String(WORK_MIB));
  const mib = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  if (mib <= 0 || mib > MOST_WORK_MIB)
    faults.push(`${name}: expected a number of MiB above 0, got ${JSON.stringify(text)}`);
  return Math.ceil(mib * MIB);
};

/** Ten years. */
const MOST_KEY_DAYS = 3_650;

/** Fractions are allowed. */
const readKeyDays = ({ values, faults }: Parsed): number | null => {
  const text = values.get('--key-days');
  if (text === undefined) return null;
  const days = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  if (days <= 0 || days > MOST_KEY_DAYS)
    faults.push(`--key-days: expected a number of days above 0, up to ${MOST_KEY_DAYS}, got ${JSON.stringify(text)}`);
  return days;
};

const readRotateKey = (args: readonly string[]): Config => {
  const { values, flags, faults } = parse(args);
  if (flags.has('--help')) return { kind: 'help' };
  const state = values.get('--state');
  if (state === undefined) faults.push('--state: expected the state folder of the agent, got none');
  if (values.size > (state === undefined ? 0 : 1) || flags.size > 0)
    faults.push('rotate-key: expected --state and nothing else');
  return state === undefined || faults.length > 0
    ? { kind: 'faults', faults }
    : { kind: 'rotate-key', stateFolder: resolve(state) };
};

/** A runtime under these would run other code, or run it otherwise, than what was installed. */
const TAKEOVER = ['BUN_BE_BUN', 'BUN_OPTIONS'] as const;

export const readConfig = (sources: Sources): Config => {
  const { args, environment } = sources;
  const taken = TAKEOVER.filter((name) => environment[name] !== undefined);
  if (taken.length > 0)
    return {
      kind: 'faults',
      faults: taken.map((name) => `${name} is set: it changes what runs here. Start without it.`),
    };
  const verb = SERVICE_VERBS.find((name) => name === args[0]);
  if (verb !== undefined)
    return { kind: 'service', verb, args: args.slice(1), proxy: proxySettings(null, environment) };
  if (args[0] === 'rotate-key') return readRotateKey(args.slice(1));
  const parsed = parse(args);
  if (parsed.flags.has('--help')) return { kind: 'help' };
  if (parsed.flags.has('--version')) return { kind: 'version' };
  const { values, flags, faults } = parsed;
  const state = values.get('--state');
  if (state === undefined) faults.push('--state: expected the folder for what the agent keeps, got none');
  const token = readToken(parsed);
  const proxy = values.get('--proxy') ?? null;
  const policy = values.get('--policy');
  if (proxy !== null && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? ''))
    faults.push('--proxy: expected an address such as http://proxy.example:3128, got something else');
  const workBytes = readWorkBytes(parsed, sources);
  const keyDays = readKeyDays(parsed);
  if (state === undefined || faults.length > 0) return { kind: 'faults', faults };
  return Object.freeze({
    kind: 'run',
    serverUrl: values.get('--server') ?? null,
    stateFolder: resolve(state),
    token,
    insecure: flags.has('--insecure'),
    policyFile: policy === undefined ? null : resolve(policy),
    requireSignatures: flags.has('--require-signatures'),
    proxy: proxySettings(proxy, environment),
    keyDays,
    shown: shownArguments(parsed),
    workBytes,
  });
};
