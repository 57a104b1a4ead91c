/**
 * What an idle agent costs the server, next to a bare socket server in the same run, plain and with TLS:
 *
 *   bun --no-install bench/connections.ts [--agents 19000] [--only plain|tls] [--beat-seconds 30] [--quick]
 *
 * Prints resident memory with the first thousand connections and with all, for both servers, the KB of each connection
 * between the two, the difference, and the processor time of heartbeats for ten thousand agents, each with the load average.
 * More than one process may hold here are cut to what it may. Both servers are told to collect before they are looked at:
 * what handshakes leave behind is more than what connections keep, and comes and goes. `ratio` is what a connection costs
 * beyond the bare server's, of the 1 KB that it may. With LONGARM_BENCH_HEAP=FILE each
 * collection says there how long it took and which objects are left.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_BEHAVIOUR } from '@longarm/fleet/agent/behaviour';
import { readMachineLimits } from '@longarm/fleet/plan/machine-limits';
import { FILES_BESIDES } from '@longarm/fleet/plan/plan-fleet';
import { plannedFleet, startFleet } from '@longarm/fleet/start';
import { startOwnServer } from '@longarm/fleet/target/own-server';
import { processCost } from '@longarm/fleet/target/process-cost';
import { openAdmin } from '@longarm/server/open-admin';
import { makeLoopbackCertificate } from '@longarm/testkit/loopback-certificate';

const RATE = 1_000;
const STEP_MS = 240_000;

const { values } = parseArgs({
  options: {
    agents: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'beat-seconds': { type: 'string' },
    // what was freed goes back to the system with a delay
    'settle-seconds': { type: 'string' },
    bare: { type: 'string' },
    hold: { type: 'string' },
  },
});
/** What one process can hold here, with what else it has open; see `longarm bench fleet`. */
const MOST = readMachineLimits().openFiles - FILES_BESIDES;
const agents = Math.min(MOST, Number(values.agents ?? (values.quick ? 20 : 19_000)));
const settleMs = 1_000 * Number(values['settle-seconds'] ?? (values.quick ? 0.1 : 8));
const beatSeconds = Number(values['beat-seconds'] ?? (values.quick ? 1 : 30));
const MODES = ['plain', 'tls'].filter((mode) => values.only === undefined || values.only === mode);
/** From these on is counted: before, the server has not warmed up. */
const first = Math.min(1_000, Math.ceil(agents / 2));
const bun = [process.execPath, '--no-install', '--preload', join(import.meta.dir, 'collect-when-told.ts')];
const longarm = [...bun, join(import.meta.dir, '../packages/longarm/src/main.ts')];
const self = [...bun, import.meta.path];

/** Kilobytes that are resident once everything is quiet and what handshakes left behind was given back. */
const settled = async (pid: number): Promise<number> => {
  const pause = () => Bun.sleep(settleMs / 2);
  await pause();
  process.kill(pid, 'SIGUSR2');
  await pause();
  return (processCost(pid)?.residentBytes ?? 0) / 1_024;
};

/** Child: a socket server that does nothing. `place` is a folder with certificate and key, or `plain`. */
const serveBare = (place: string) => {
  const file = (name: string) => Bun.file(join(place, name));
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(place === 'plain' ? {} : { tls: { cert: file('cert.pem'), key: file('key.pem') } }),
    fetch: (request, bun) => (bun.upgrade(request) ? undefined : new Response()),
    websocket: { idleTimeout: 960, sendPings: false, message: () => {} },
  });
  console.log(server.port);
};

/** Child: opens so many sockets and keeps them; says when all are open. */
const holdSockets = async (url: string) => {
  const sockets: WebSocket[] = [];
  let open = 0;
  for (let count = 0; count < agents; count++) {
    const socket = new WebSocket(url, { tls: { rejectUnauthorized: false } });
    socket.onopen = () => {
      open++;
    };
    sockets.push(socket);
    if (count % 50 === 0) await Bun.sleep((50 * 1_000) / RATE);
  }
  while (open < sockets.length) await Bun.sleep(20);
  console.log('open');
  await new Promise(() => {});
};

const child = (args: readonly string[]) => {
  const process = Bun.spawn([...self, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  const reader = process.stdout.getReader();
  const line = async () => new TextDecoder().decode((await reader.read()).value).trim();
  const end = async () => {
    process.kill('SIGKILL');
    await process.exited;
  };
  return { pid: process.pid, line, end };
};

/** Kilobytes that are resident with the first of them, and with all. */
type Resident = { readonly before: number; readonly after: number };
const kbEach = ({ before, after }: Resident): number => (after - before) / (agents - first);

const bareServer = async (isTls: boolean): Promise<Resident> => {
  const folder = await mkdtemp(join(tmpdir(), 'longarm-bare-'));
  const { cert, key } = await makeLoopbackCertificate(Date.now());
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
  const server = child(['--bare', isTls ? folder : 'plain']);
  const holders: ReturnType<typeof child>[] = [];
  try {
    const url = `${isTls ? 'wss' : 'ws'}://127.0.0.1:${await server.line()}`;
    const hold = async (count: number) => {
      const holder = child(['--hold', url, '--agents', String(count)]);
      holders.push(holder);
      await holder.line();
      return settled(server.pid);
    };
    const before = await hold(first);
    return { before, after: await hold(agents - first) };
  } finally {
    for (const each of [...holders, server]) await each.end();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Processor seconds that the process uses in so many. */
const busySeconds = async (pid: number, seconds: number): Promise<number> => {
  const before = processCost(pid)?.processorSeconds ?? 0;
  await Bun.sleep(seconds * 1_000);
  return (processCost(pid)?.processorSeconds ?? 0) - before;
};

const longarmServer = async (isTls: boolean) => {
  const server = await startOwnServer({ longarm, openAdmin }, { isTls });
  const order = { token: server.token, server: server.url, processes: null, ratePerSecond: RATE };
  const crewOf = async (seed: string, count: number) => {
    const wish = { ...order, agents: count, behaviour: DEFAULT_BEHAVIOUR, seed };
    const plan = await plannedFleet({ ...wish, isTls });
    return startFleet(longarm, { ...wish, plan });
  };
  const crews = [
    { crew: await crewOf('first', first), count: first },
    { crew: await crewOf('rest', agents - first), count: agents - first },
  ];
  try {
    for (const { crew, count } of crews)
      await crew.until('all enrolled', ({ enrolled }) => enrolled === count, STEP_MS);
    const idle = await busySeconds(server.pidNow(), beatSeconds);
    const resident: number[] = [];
    for (const { crew, count } of crews) {
      crew.connect();
      await crew.until('all connected', ({ connected }) => connected === count, STEP_MS);
      resident.push(await settled(server.pidNow()));
    }
    const [before = 0, after = 0] = resident;
    const spent = (await busySeconds(server.pidNow(), beatSeconds)) - idle;
    return { before, after, share: (spent / beatSeconds) * (10_000 / agents) };
  } finally {
    for (const { crew } of crews) await crew.stop();
    await server.close();
  }
};

const row = (name: string, resident: Resident): string => {
  const mib = (kb: number) => `${(kb / 1_024).toFixed(0)} MiB`;
  return `  ${name.padEnd(22)}${mib(resident.before)}, then ${mib(resident.after)}: ${kbEach(resident).toFixed(2)} KB each`;
};

/** Gives KB of each connection beyond the bare server's. */
const measure = async (mode: string): Promise<number> => {
  const load = () => loadavg()[0]?.toFixed(1);
  const before = load();
  const bare = await bareServer(mode === 'tls');
  const own = await longarmServer(mode === 'tls');
  const beyond = kbEach(own) - kbEach(bare);
  console.log(`${first}, then ${agents} connections, ${mode} (load ${before} at the start, ${load()} at the end)`);
  console.log(row('bare socket server:', bare));
  console.log(row('longarm server:', own));
  console.log(`  ${'beyond the bare one:'.padEnd(22)}${beyond.toFixed(2)} KB each`);
  console.log(`  ${'heartbeats:'.padEnd(22)}${(100 * own.share).toFixed(2)} % of a core for 10,000 agents`);
  return beyond;
};

if (values.bare !== undefined) serveBare(values.bare);
else if (values.hold !== undefined) await holdSockets(values.hold);
else {
  let worst = 0;
  for (const mode of MODES) worst = Math.max(worst, await measure(mode));
  console.log(`ratio: ${worst.toFixed(2)} of the KB that a connection may cost beyond a bare one`);
}
