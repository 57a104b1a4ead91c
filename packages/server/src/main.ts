/** `longarm server`: reads the configuration, starts, says where it listens, and stops cleanly when asked. */
import { LIMIT_MEANINGS, LIMIT_NAMES, PROFILE_NAMES, PROFILES } from '@longarm/contract/limits';
import { ConfigFault, readConfig } from './config.ts';
import { startServer, systemWorld } from './start.ts';
import { openLog } from './telemetry/log.ts';

const limitLines = (): string =>
  LIMIT_NAMES.map(
    (name) => `  ${name.padEnd(20)} ${String(PROFILES['2021-06'].limits[name]).padStart(5)}  ${LIMIT_MEANINGS[name]}`,
  ).join('\n');

const HELP = `Usage: longarm server --data DIR [options]

Starts the server: REST API, agent gateway, queue, library and results, on one folder.

Options:
  --data DIR               where everything is kept; made when it is not there
  --listen HOST:PORT       default 127.0.0.1:8443; port 0 lets the system choose
  --tls own|off            own (default): by a CA of its own, in DIR/tls/ca.pem; off: loopback only, or with --insecure
  --tls-cert FILE --tls-key FILE   a certificate of yours instead, in PEM; looked at every few seconds for a newer one
  --tls-ca FILE            with it: the authority that devices are told to trust (default: what their system trusts)
  --insecure               allow --tls off on other addresses, where something else protects the connection
  --public-url URL         what links and contexts begin with; default: the listen address
  --gateways N             hold connections in N processes that share the port, on Linux; default 0: in this one
  --trust-proxy            believe X-Forwarded-Proto, -Host and -For, and the Host header
  --profile ${PROFILE_NAMES.join('|')}   which edition of the original's limits; default 2021-06
  --limit NAME=VALUE       one limit, repeatable; fractions are allowed
  --strict-args            refuse ; & | ! $ ( ) in Args, as the original's portal does
  --second-factor RULE     of people who sign in here: optional (default) or required
  --stop-on-nonzero-exit   a script that exits non-zero fails, and ends its sequence
  --log-level LEVEL        debug, info (default), warn, error, silent
  --metrics HOST:PORT      serve metrics for Prometheus there, on loopback, as 127.0.0.1:9464; off by default
  --traces URL             send traces to this collector, by OTLP over HTTP, as http://127.0.0.1:4318; off by default
  --agents DIR             executables of the agent that devices fetch; default: beside this executable
  --config FILE            the same names in TOML, limits in a table [limit]
  -h, --help               this text

The same names work in the environment: LONGARM_DATA, LONGARM_LISTEN, LONGARM_LIMIT_SESSIONS, …

Limits (profile 2021-06):
${limitLines()}

Examples:
  longarm server --data /var/lib/longarm --listen 0.0.0.0:8443 --public-url https://lr.example.org:8443
  longarm server --data ./data --limit sessions=50 --limit queue-hours=2
`;

const untilAsked = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });

const complain = (sentence: string): number => {
  process.stderr.write(`longarm server: ${sentence}\n`);
  return 2;
};

/** Runs until it is told to stop; resolves to the exit code. `longarm` starts this program once more; arguments follow. */
export const runServer = async (argv: readonly string[], longarm?: readonly string[]): Promise<number> => {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  // everything that is made in the data folder is for this user alone
  process.umask(0o077);
  try {
    const config = readConfig(argv, process.env);
    const server = await startServer(config, openLog(config.logLevel), systemWorld(longarm));
    const asked = untilAsked();
    process.stdout.write(`listening on ${server.url}\n`);
    await asked;
    await server.stop();
    return 0;
  } catch (fault) {
    if (fault instanceof ConfigFault)
      return complain(`${fault.faults.join('\nlongarm server: ')}\nTry: longarm server --help`);
    const cause = fault instanceof Error && fault.cause instanceof Error ? ` (${fault.cause.message})` : '';
    return complain(fault instanceof Error ? `${fault.message}${cause}` : String(fault));
  }
};
