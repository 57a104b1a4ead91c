/** The command line of `longarm bench fleet`. Throws one sentence for what cannot be understood. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Behaviour, parseBehaviour, TRAITS } from './agent/behaviour.ts';

export type FleetConfig = {
  /** Null: the fleet starts one of its own. */
  readonly server: string | null;
  /** The text of an enrolment token; null with a server of its own. */
  readonly token: string | null;
  readonly agents: number;
  readonly processes: number | null;
  readonly ratePerSecond: number;
  readonly behaviour: Behaviour;
  /** Script and arguments that every agent is asked to run; null: none. */
  readonly run: string | null;
  readonly client: { readonly id: string; readonly secret: string } | null;
  readonly holdSeconds: number;
  readonly seed: string;
  /** Of a server of its own: processes that hold its connections; 0: the server itself. */
  readonly gateways: number;
  readonly isTls: boolean;
  readonly isJson: boolean;
};

const OPTIONS = {
  server: { type: 'string' },
  'token-file': { type: 'string' },
  agents: { type: 'string' },
  processes: { type: 'string' },
  rate: { type: 'string' },
  behaviour: { type: 'string' },
  run: { type: 'string' },
  'client-id': { type: 'string' },
  'secret-file': { type: 'string' },
  hold: { type: 'string' },
  seed: { type: 'string' },
  gateways: { type: 'string' },
  tls: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

const DEFAULT_AGENTS = 1_000;
const DEFAULT_RATE = 2_000;
/** More than any machine holds, so that the plan can say what stands in the way. */
const MOST_AGENTS = 100_000_000;

const numberOf = (
  name: string,
  text: string | undefined,
  bounds: { readonly least: number; readonly most: number },
) => {
  if (text === undefined) return null;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= bounds.least && value <= bounds.most))
    throw new Error(`--${name}: expected a number from ${bounds.least} to ${bounds.most}, got ${JSON.stringify(text)}`);
  return value;
};

const wholeOf = (name: string, text: string | undefined, most: number) => {
  const value = numberOf(name, text, { least: 1, most });
  if (value !== null && !Number.isInteger(value))
    throw new Error(`--${name}: expected a whole number, got ${JSON.stringify(text)}`);
  return value;
};

const fileOf = (name: string, path: string | undefined): string | null => {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (fault) {
    throw new Error(`--${name} ${path}: cannot be read`, { cause: fault });
  }
};

const serverOf = (text: string | undefined): string | null => {
  if (text === undefined) return null;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error(`--server: expected http(s)://host[:port], got ${JSON.stringify(text)}`);
  return url.origin;
};

const clientOf = (id: string | undefined, secret: string | null): FleetConfig['client'] => {
  if ((id === undefined) !== (secret === null)) throw new Error('expected --client-id and --secret-file together');
  return id === undefined || secret === null ? null : { id, secret };
};

const MOST_GATEWAYS = 64;

const gatewaysOf = (text: string | undefined, server: string | null): number => {
  if (text !== undefined && server !== null)
    throw new Error('--gateways: expected a server of the fleet’s own, got --server: its gateways are its own affair');
  return text === '0' ? 0 : (wholeOf('gateways', text, MOST_GATEWAYS) ?? 0);
};

export const FLEET_HELP = `Usage: longarm bench fleet [options]

Simulated agents that speak the real protocol to a real server: to size one, or to try one out. Without --server it
starts a server of its own in a temporary folder and ends it again. Nothing that the server sends is executed. With more
agents than one address has ports for, that server listens on all addresses of this machine while it runs.

Options:
  --server URL          a running server; with --token-file
  --token-file FILE     an enrolment token (longarm enrol-token create)
  --agents N            default ${DEFAULT_AGENTS}
  --processes N         default: as many as ulimit -n asks for
  --rate N              connections begun a second, default ${DEFAULT_RATE}
  --behaviour TRAITS    name=value,…; see below
  --run "SCRIPT ARGS"   ask every agent to run this library script, and wait for all
  --client-id ID        with --secret-file FILE: the application that asks, where --server is given
  --hold SECONDS        stay connected for so long before the end, default 0
  --seed TEXT           the same text is the same agents; default: fleet
  --tls                 the server of its own speaks TLS
  --gateways N          the server of its own holds connections in N processes (longarm server --gateways)
  --json                one JSON document instead of the table
  -h, --help            this text

Traits:
${Object.entries(TRAITS)
  .map(([name, { value, meaning }]) => `  ${name.padEnd(21)} ${String(value).padStart(5)}  ${meaning}`)
  .join('\n')}

Examples:
  longarm bench fleet --agents 5000 --run "triage.sh" --behaviour latency-ms=200,fail=0.02
  longarm bench fleet --server https://lr.example.org:8443 --token-file token.txt --agents 2000 --hold 600
`;

export const readFleetConfig = (argv: readonly string[]): FleetConfig => {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false });
  const server = serverOf(values.server);
  const token = fileOf('token-file', values['token-file']);
  if ((server === null) !== (token === null)) throw new Error('expected --server and --token-file together');
  const client = clientOf(values['client-id'], fileOf('secret-file', values['secret-file']));
  if (server !== null && values.run !== undefined && client === null)
    throw new Error('--run: expected --client-id and --secret-file of an application that may run live response');
  return {
    server,
    token,
    client,
    agents: wholeOf('agents', values.agents, MOST_AGENTS) ?? DEFAULT_AGENTS,
    processes: wholeOf('processes', values.processes, 1_000),
    ratePerSecond: numberOf('rate', values.rate, { least: 0.1, most: 1e9 }) ?? DEFAULT_RATE,
    behaviour: parseBehaviour(values.behaviour ?? ''),
    run: values.run ?? null,
    holdSeconds: numberOf('hold', values.hold, { least: 0, most: 1e6 }) ?? 0,
    gateways: gatewaysOf(values.gateways, server),
    seed: values.seed ?? 'fleet',
    isTls: server === null ? values.tls === true : server.startsWith('https:'),
    isJson: values.json === true,
  };
};
