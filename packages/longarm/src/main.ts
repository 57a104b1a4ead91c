/** The `longarm` program: server, command line and fleet behind one name, and nothing else. */
import { homedir } from 'node:os';
import { runLongarm } from '@longarm/cli/run-longarm';
import { systemIo } from '@longarm/cli/world/system-io';
import { takenOver } from './taken-over.ts';

const host = {
  process,
  env: process.env,
  homeFolder: homedir(),
  world: {
    now: Date.now,
    after: (delayMs: number, wake: () => void) => {
      const timer = setTimeout(wake, delayMs);
      return () => clearTimeout(timer);
    },
    randomId: () => crypto.randomUUID(),
  },
};

const refusal = takenOver(process.env);
if (refusal !== null) {
  process.stderr.write(`longarm: ${refusal}\n`);
  process.exit(2);
}

// Whoever reads our output may stop reading, as `head` does: that is no failure.
process.stdout.on('error', () => process.exit(0));

/** What starts this program once more, in the way in which it was started; an executable is its own runtime, and its sources lie in a drive of their own. */
const isExecutable = /^(?:\/\$bunfs\/|[A-Z]:[\\/]~BUN)/.test(Bun.main);
const source = ['--no-install', '--no-env-file', ...process.execArgv, Bun.main];
const longarm = isExecutable ? [process.execPath] : [process.execPath, ...source];

const openAdmin = async (dataFolder: string) => (await import('@longarm/server/open-admin')).openAdmin(dataFolder);

// Loaded when they are needed: a command on another machine's server starts without one of its own.
const parts = {
  runServer: async (argv: readonly string[]) => (await import('@longarm/server/main')).runServer(argv, longarm),
  runFleet: async (argv: readonly string[]) =>
    (await import('@longarm/fleet/main')).runFleet({ longarm, openAdmin }, argv),
  openAdmin,
  openAuditFile: async (file: string) =>
    (await import('@longarm/server/store/audit/open-audit-file')).openAuditFile(file),
  io: systemIo(host),
};

/** A process of a server's own: without the command line, which would be most of what it loads. */
const [part, mode] = process.argv.slice(2);
if (part === 'server' && mode === '--gateway-process')
  await (await import('@longarm/server/gateway-process')).runGatewayProcess(process.stdin);

process.exit(await runLongarm(parts, process.argv.slice(2)));
