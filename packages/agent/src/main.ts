/** The program `longarm-agent`: the only file that meets the process's own environment, clock and streams. */
import { randomBytes } from 'node:crypto';
import { VERSION } from '@longarm/contract/version';
import { type Config, type RunConfig, readConfig, type ServiceConfig, USAGE } from './config.ts';
import { SetupFault } from './identity/establish-identity.ts';
import { enrolDevice } from './install/enrol-device.ts';
import { rotateKey } from './install/rotate-key.ts';
import { runCommand } from './install/run-command.ts';
import { serviceCommand } from './install/service-command.ts';
import { faultText } from './platform/fault.ts';
import { textLog } from './platform/log.ts';
import { thisPlatform } from './platform/this-platform.ts';
import { inheritedFrom } from './process/script-environment.ts';
import { proxyFor } from './proxy-for.ts';
import { type Agent, start, type World } from './start.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const log = textLog({ write: (line) => void process.stderr.write(line), now: Date.now });

/** A longer delay would be taken for none: timers count in 31 bits. */
const LONGEST_TIMER_MS = 2_147_483_647;

const after: World['after'] = (delayMs, wake) => {
  const timer = setTimeout(wake, Math.min(delayMs, LONGEST_TIMER_MS));
  return () => clearTimeout(timer);
};

const platform = thisPlatform(process.platform);

const world = (): World => ({
  pid: process.pid,
  localNow: Date.now,
  monotonic: () => performance.now(),
  after,
  random: Math.random,
  newNonce: () => randomBytes(16).toString('base64url'),
  fetch,
  which: (program, path) => Bun.which(program, { PATH: path }),
  platform,
  inherited: inheritedFrom(platform.osPlatform, process.env),
  log,
  onConnected: (machineId) => void process.stdout.write(`connected as ${machineId}\n`),
});

const run = async (config: RunConfig): Promise<number> => {
  let agent: Agent | null = null;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log('info', 'stopping', { signal });
      // before it runs there is nothing to stop
      if (agent === null) process.exit(0);
      agent.stop();
    });
  }
  // what the agent and its scripts write is for its own user alone
  process.umask(0o077);
  agent = await start(config, world());
  await agent.ended;
  return 0;
};

const explain = (fault: unknown): number => {
  if (fault instanceof SetupFault) {
    process.stderr.write(`longarm-agent: ${fault.message}\n`);
    return EXIT_USAGE;
  }
  log('error', faultText(fault));
  return EXIT_FAILED;
};

const serve = async ({ verb, args, proxy }: ServiceConfig): Promise<number> => {
  // others may start the executable and read the definition; modes say what they may not
  process.umask(0o022);
  const io = {
    osPlatform: platform.osPlatform,
    platform,
    pid: process.pid,
    userId: process.geteuid?.() ?? null,
    executable: Bun.isStandaloneExecutable ? process.execPath : null,
    run: runCommand,
    enrol: enrolDevice({ fetch, platform, pid: process.pid, pause: Bun.sleep }),
    proxyFor: (address: string) => proxyFor(proxy, address),
    sleep: Bun.sleep,
    say: (line: string) => void process.stdout.write(`${line}\n`),
  };
  return await serviceCommand(io, verb, args);
};

const askForKey = async (path: string): Promise<number> => {
  process.stdout.write(`${rotateKey({ platform }, path)}\n`);
  return 0;
};

const explainRefusal = (fault: unknown): number => {
  process.stderr.write(`longarm-agent: ${faultText(fault)}\n`);
  return EXIT_USAGE;
};

const main = async (config: Config): Promise<number> => {
  switch (config.kind) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    case 'faults':
      for (const fault of config.faults) process.stderr.write(`longarm-agent: ${fault}\n`);
      return EXIT_USAGE;
    case 'run':
      return run(config).catch(explain);
    case 'rotate-key':
      return askForKey(config.stateFolder).catch(explainRefusal);
    case 'service':
      return serve(config).catch(explainRefusal);
  }
};

process.exit(await main(readConfig({ args: process.argv.slice(2), environment: process.env })));
