/**
 * Configuration of the server: flags, then the environment, then a file, then the profile → one frozen object.
 * All faults are told at once, by name, and never with a secret's value.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { SECOND_FACTOR_RULES, type SecondFactorRule } from '@longarm/contract/admin/person-operations';
import {
  DEFAULT_PROFILE,
  LIMIT_NAMES,
  type LimitName,
  type Limits,
  PROFILE_NAMES,
  PROFILES,
  type ProfileName,
} from '@longarm/contract/limits';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** PEM files that somebody else keeps; `ca`: the authority that devices are told to trust, null for the system's own trust. */
export type CertificateFiles = { readonly cert: string; readonly key: string; readonly ca: string | null };

export type ServerConfig = {
  readonly dataFolder: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** `given`: by the certificate of `certificateFiles`. */
  readonly tls: 'own' | 'given' | 'off';
  readonly certificateFiles: CertificateFiles | null;
  readonly profile: ProfileName;
  readonly limits: Limits;
  /** Without a slash at its end; null: from the listen address. */
  readonly publicUrl: string | null;
  readonly trustProxy: boolean;
  /** Processes that share the port and hold the connections; 0: this one does. */
  readonly gateways: number;
  readonly strictArgs: boolean;
  readonly stopOnNonzeroExit: boolean;
  /** Of everybody who signs in here by themselves. */
  readonly secondFactor: SecondFactorRule;
  readonly logLevel: LogLevel;
  /** Folder of the executables that are handed out to devices; null: beside the server's own executable. */
  readonly agentsFolder: string | null;
  /** Where metrics are served, on loopback; null for nowhere. Port 0 lets the system choose. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** Where traces are sent, by OTLP over HTTP; null for nowhere. */
  readonly traces: string | null;
};

/** What is wrong with the configuration, a sentence each. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

const SERVER_OPTIONS = {
  data: { type: 'string' },
  listen: { type: 'string' },
  tls: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-ca': { type: 'string' },
  insecure: { type: 'boolean' },
  profile: { type: 'string' },
  limit: { type: 'string', multiple: true },
  'public-url': { type: 'string' },
  'trust-proxy': { type: 'boolean' },
  gateways: { type: 'string' },
  'strict-args': { type: 'boolean' },
  'stop-on-nonzero-exit': { type: 'boolean' },
  'second-factor': { type: 'string' },
  'log-level': { type: 'string' },
  agents: { type: 'string' },
  metrics: { type: 'string' },
  traces: { type: 'string' },
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_LISTEN = '127.0.0.1:8443';

/** Names of settings that are truths. */
const TRUTHS = ['insecure', 'trust-proxy', 'strict-args', 'stop-on-nonzero-exit'] as const;
const TEXTS = [
  'data',
  'listen',
  'tls',
  'tls-cert',
  'tls-key',
  'tls-ca',
  'profile',
  'public-url',
  'second-factor',
  'gateways',
  'log-level',
  'agents',
  'metrics',
  'traces',
] as const;

type Settings = { readonly [Name in (typeof TEXTS)[number] | (typeof TRUTHS)[number]]?: string } & {
  readonly limits: Readonly<Record<string, string>>;
};

const limitsFromFlags = (flags: readonly string[], faults: string[]): Record<string, string> => {
  const limits: Record<string, string> = {};
  for (const flag of flags) {
    const at = flag.indexOf('=');
    if (at < 1) faults.push(`--limit: expected name=value, got ${JSON.stringify(flag)}`);
    else limits[flag.slice(0, at)] = flag.slice(at + 1);
  }
  return limits;
};

const fromFlags = (
  argv: readonly string[],
  faults: string[],
): { readonly settings: Settings; readonly file: string | undefined } => {
  try {
    const { values } = parseArgs({ args: [...argv], options: SERVER_OPTIONS, allowPositionals: false });
    const truths = Object.fromEntries(
      TRUTHS.filter((name) => values[name] !== undefined).map((name) => [name, String(values[name])]),
    );
    const texts = Object.fromEntries(
      TEXTS.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
    );
    return {
      settings: { ...truths, ...texts, limits: limitsFromFlags(values.limit ?? [], faults) },
      file: values.config,
    };
  } catch (fault) {
    faults.push(fault instanceof Error ? fault.message : String(fault));
    return { settings: { limits: {} }, file: undefined };
  }
};

const variableOf = (name: string): string => `LONGARM_${name.toUpperCase().replaceAll('-', '_')}`;

const fromEnvironment = (environment: Environment): Settings => {
  const take = (names: readonly string[], prefix: string) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = environment[variableOf(prefix + name)];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return { ...take([...TEXTS, ...TRUTHS], ''), limits: take(LIMIT_NAMES, 'limit-') };
};

const fromFile = (path: string | undefined, faults: string[]): Settings => {
  if (path === undefined) return { limits: {} };
  try {
    const parsed: unknown = Bun.TOML.parse(readFileSync(path, 'utf8'));
    const table = Object.entries(parsed ?? {});
    const known: readonly string[] = [...TEXTS, ...TRUTHS];
    for (const [name] of table)
      if (name !== 'limit' && !known.includes(name))
        faults.push(`${path}: unknown setting ${name}: expected one of ${known.join(', ')}, or a table limit`);
    const texts = table.filter(([name]) => known.includes(name)).map(([name, value]) => [name, String(value)]);
    const limits = Object.entries(table.find(([name]) => name === 'limit')?.[1] ?? {}).map(([name, value]) => [
      name,
      String(value),
    ]);
    return { ...Object.fromEntries(texts), limits: Object.fromEntries(limits) };
  } catch (fault) {
    faults.push(`--config ${path}: ${fault instanceof Error ? fault.message : String(fault)}`);
    return { limits: {} };
  }
};

const parseLimits = (given: Readonly<Record<string, string>>, profile: ProfileName, faults: string[]): Limits => {
  const limits: Record<LimitName, number> = { ...PROFILES[profile].limits };
  for (const [name, text] of Object.entries(given)) {
    const known = LIMIT_NAMES.find((limit) => limit === name);
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (known === undefined) faults.push(`limit ${name}: expected one of ${LIMIT_NAMES.join(', ')}`);
    else if (!Number.isFinite(value) || value <= 0)
      faults.push(`limit ${name}: expected a number above 0, got ${JSON.stringify(text)}`);
    else limits[known] = value;
  }
  return Object.freeze(limits);
};

const oneOf = <Value extends string>(
  name: string,
  given: { readonly text: string; readonly allowed: readonly Value[] },
  faults: string[],
): Value => {
  const value = given.allowed.find((allowed) => allowed === given.text);
  if (value === undefined)
    faults.push(`${name}: expected one of ${given.allowed.join(', ')}, got ${JSON.stringify(given.text)}`);
  return value ?? (given.allowed[0] as Value);
};

const truth = (name: string, text: string | undefined, faults: string[]): boolean =>
  text === undefined
    ? false
    : oneOf(name, { text: text.toLowerCase(), allowed: ['true', 'false'] as const }, faults) === 'true';

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const parseListen = (
  text: string,
  faults: string[],
  name = 'listen',
): { readonly host: string; readonly port: number } => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || (match[1] !== undefined && isIP(host) !== 6)) {
    faults.push(`${name}: expected host:port, as 127.0.0.1:8443 or [::1]:8443, got ${JSON.stringify(text)}`);
  }
  return { host, port };
};

/** Metrics tell how a site is used: who asks comes from this very host, or through something that it trusts. */
const parseMetrics = (text: string | undefined, faults: string[]): ServerConfig['metrics'] => {
  if (text === undefined) return null;
  const address = parseListen(text, faults, 'metrics');
  if (!isLoopback(address.host))
    faults.push(`metrics: expected a loopback address, as 127.0.0.1:9464, got ${JSON.stringify(address.host)}`);
  return address;
};

/** The collector's address; OTLP's own path where none is given. */
const parseTraces = (text: string | undefined, faults: string[]): string | null => {
  if (text === undefined) return null;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    faults.push(
      `traces: expected the address of a collector for OTLP over HTTP, as http://127.0.0.1:4318, without a name and a password`,
    );
    return null;
  }
  return url.pathname === '/' ? new URL('/v1/traces', url).href : url.href;
};

const parsePublicUrl = (text: string | undefined, faults: string[]): string | null => {
  if (text === undefined) return null;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.pathname === '/')
    return url.origin;
  faults.push(`public-url: expected http(s)://host[:port] with no path, got ${JSON.stringify(text)}`);
  return null;
};

const MOST_GATEWAYS = 64;

const parseGateways = (text: string | undefined, faults: string[], platform: NodeJS.Platform): number => {
  const value = text === undefined ? 0 : Number(text.trim() === '' ? Number.NaN : text);
  if (!Number.isInteger(value) || value < 0 || value > MOST_GATEWAYS) {
    faults.push(`gateways: expected a whole number from 0 to ${MOST_GATEWAYS}, got ${JSON.stringify(text)}`);
    return 0;
  }
  if (value > 0 && platform !== 'linux')
    faults.push(
      `gateways: expected 0 on ${platform}: only Linux spreads connections over processes that share a port. Split the fleet over servers instead`,
    );
  return value;
};

const parseCertificateFiles = (all: Settings, faults: string[]): CertificateFiles | null => {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = all;
  if (cert === undefined && key === undefined && ca === undefined) return null;
  if (cert === undefined || key === undefined) {
    faults.push('tls-cert and tls-key: expected both, got only one of them');
    return null;
  }
  if (all.tls !== undefined) faults.push(`tls: expected nothing beside tls-cert and tls-key, got ${all.tls}`);
  return { cert, key, ca: ca ?? null };
};

/** Throws ConfigFault with every fault at once. */
export const readConfig = (
  argv: readonly string[],
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
): ServerConfig => {
  const faults: string[] = [];
  const flags = fromFlags(argv, faults);
  const env = fromEnvironment(environment);
  const file = fromFile(flags.file ?? environment[variableOf('config')], faults);
  const all: Settings = {
    ...file,
    ...env,
    ...flags.settings,
    limits: { ...file.limits, ...env.limits, ...flags.settings.limits },
  };
  const profile = oneOf('profile', { text: all.profile ?? DEFAULT_PROFILE, allowed: PROFILE_NAMES }, faults);
  const listen = parseListen(all.listen ?? DEFAULT_LISTEN, faults);
  const tls = oneOf('tls', { text: all.tls ?? 'own', allowed: ['own', 'off'] as const }, faults);
  const certificateFiles = parseCertificateFiles(all, faults);
  if (all.data === undefined || all.data === '') faults.push('data: expected a folder, as --data /var/lib/longarm');
  if (tls === 'off' && !isLoopback(listen.host) && !truth('insecure', all.insecure, faults)) {
    faults.push(
      `tls off: expected a loopback address to listen on, got ${listen.host}; add --insecure if something else protects the connection`,
    );
  }
  const config: ServerConfig = {
    dataFolder: all.data ?? '',
    ...listen,
    tls: certificateFiles === null ? tls : 'given',
    certificateFiles,
    profile,
    limits: parseLimits(all.limits, profile, faults),
    publicUrl: parsePublicUrl(all['public-url'], faults),
    trustProxy: truth('trust-proxy', all['trust-proxy'], faults),
    gateways: parseGateways(all.gateways, faults, platform),
    strictArgs: truth('strict-args', all['strict-args'], faults),
    stopOnNonzeroExit: truth('stop-on-nonzero-exit', all['stop-on-nonzero-exit'], faults),
    secondFactor: oneOf(
      'second-factor',
      { text: all['second-factor'] ?? 'optional', allowed: SECOND_FACTOR_RULES },
      faults,
    ),
    logLevel: oneOf('log-level', { text: all['log-level'] ?? 'info', allowed: LOG_LEVELS }, faults),
    agentsFolder: all.agents ?? null,
    metrics: parseMetrics(all.metrics, faults),
    traces: parseTraces(all.traces, faults),
  };
  if (faults.length > 0) throw new ConfigFault(faults);
  return Object.freeze(config);
};
