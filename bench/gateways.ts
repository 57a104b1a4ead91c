/**
 * More agents than one process may have sockets, held by gateway processes at once; then kill -9 of one of these:
 *
 *   bun --no-install bench/gateways.ts [--agents 50000] [--gateways 3] [--rate 300] [--tls] [--beat-seconds 60]
 *     [--limit name=value]… [--quick]
 *
 * Prints resident memory of the main process and of each gateway before and with all agents connected, what heartbeats
 * cost, how long it took until all were connected, how long all of the killed gateway's agents took to come back, and what
 * calls of the API took meanwhile; each with the load average of the machine (1 minute). `ratio` is the agents that are
 * connected at the end, of those that were asked for.
 *
 * Agents begin at a rate that a busy machine keeps up with: above it they are sent away for minutes, as they should be
 * (ADR 0014). The server's store lies in the folder for temporary files: with TMPDIR=/dev/shm the disk, and who else is at it,
 * has no say. While it runs, other programs may find no free port on 127.0.0.1: agents have nearly all of them.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_BEHAVIOUR } from '@longarm/fleet/agent/behaviour';
import { percentileOf } from '@longarm/fleet/agent/tally';
import { needsAddresses, plannedFleet, startFleet } from '@longarm/fleet/start';
import { startOwnServer } from '@longarm/fleet/target/own-server';
import { processCost } from '@longarm/fleet/target/process-cost';
import { openAdmin } from '@longarm/server/open-admin';
import { callApi } from './herd/call-api.ts';

const { values } = parseArgs({
  options: {
    agents: { type: 'string' },
    gateways: { type: 'string', default: '3' },
    tls: { type: 'boolean', default: false },
    rate: { type: 'string', default: '300' },
    'beat-seconds': { type: 'string' },
    'settle-seconds': { type: 'string' },
    limit: { type: 'string', multiple: true, default: ['connects-per-second=4000', 'unproven-per-address=20000'] },
    quick: { type: 'boolean', default: false },
  },
});
const agents = Number(values.agents ?? (values.quick ? 60 : 50_000));
const gateways = Number(values.gateways);
const beatSeconds = Number(values['beat-seconds'] ?? (values.quick ? 1 : 60));
const settleSeconds = Number(values['settle-seconds'] ?? (values.quick ? 0.2 : 10));
/** For each step: a busy machine enrols a hundred agents a second. */
const STEP_MS = 120_000 + agents * 20;

const collect = ['--preload', join(import.meta.dir, 'collect-when-told.ts')];
const main = join(import.meta.dir, '../packages/longarm/src/main.ts');
const longarm = [process.execPath, '--no-install', ...collect, main];

const load = (): string => `load ${loadavg()[0]?.toFixed(1)}`;
const since = (start: number): string => `${((performance.now() - start) / 1_000).toFixed(1)} s`;
const say = (name: string, text: string) => console.log(`${`${name}:`.padEnd(22)}${text} (${load()})`);

/** Processes whose parent this is, oldest first (proc(5)). */
const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

/** Resident bytes once what handshakes left behind was given back. */
const settled = async (pids: readonly number[]): Promise<readonly number[]> => {
  await Bun.sleep(settleSeconds * 500);
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  await Bun.sleep(settleSeconds * 500);
  return pids.map((pid) => processCost(pid)?.residentBytes ?? 0);
};

/** Processor seconds that each of them uses in so many. */
const busy = async (pids: readonly number[], seconds: number): Promise<readonly number[]> => {
  const spent = () => pids.map((pid) => processCost(pid)?.processorSeconds ?? 0);
  const before = spent();
  await Bun.sleep(seconds * 1_000);
  return spent().map((after, place) => after - (before[place] ?? 0));
};

const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

const wish = { agents, processes: null, ratePerSecond: Number(values.rate), isTls: values.tls, gateways };
// says what stands in the way before anything is started
await plannedFleet({ ...wish, server: null });
const server = await startOwnServer(
  { longarm, openAdmin },
  {
    isTls: values.tls,
    gateways,
    isWide: needsAddresses(agents),
    flags: values.limit.flatMap((limit) => ['--limit', limit]),
  },
);
const own = { ...wish, server: server.url };
const plan = await plannedFleet(own);
const order = { ...own, token: server.token, seed: 'gateways', behaviour: DEFAULT_BEHAVIOUR, plan };
const crew = startFleet(longarm, order);
try {
  console.log(`${agents} agents in ${plan.processes} processes, ${gateways} gateways, ${values.tls ? 'TLS' : 'plain'}`);
  let start = performance.now();
  await crew.until('all enrolled', ({ enrolled }) => enrolled === agents, STEP_MS);
  say('enrolled in', since(start));
  const pids = [server.pidNow(), ...childrenOf(server.pidNow())];
  const empty = await settled(pids);
  const idle = await busy(pids, beatSeconds / 4);

  start = performance.now();
  crew.connect();
  const all = await crew.until('all connected', ({ connected }) => connected === agents, STEP_MS);
  say('all connected in', since(start));
  const full = await settled(pids);
  for (const [place, bytes] of full.entries()) {
    const before = empty[place] ?? 0;
    const share = place === 0 ? agents : agents / gateways;
    const each = ((bytes - before) / 1_024 / share).toFixed(2);
    say(
      place === 0 ? 'main process' : `gateway ${place - 1}`,
      `${mib(before)}, then ${mib(bytes)}: ${each} KB an agent`,
    );
  }
  say('all together', `${((sum(full) - sum(empty)) / 1_024 / agents).toFixed(2)} KB an agent`);
  const beating = await busy(pids, beatSeconds);
  const shares = beating.map((spent, place) => (100 * (spent - 4 * (idle[place] ?? 0))) / beatSeconds);
  const perTen = ((10_000 * sum(shares)) / agents).toFixed(2);
  say(
    'heartbeats',
    `${shares.map((share) => share.toFixed(1)).join(' + ')} % of a core, ${perTen} % for 10,000 agents`,
  );

  const [, victim = 0] = pids;
  const calls = await callApi(server);
  const welcomes = crew.tally().welcomes;
  start = performance.now();
  process.kill(victim, 'SIGKILL');
  const dropped = await crew.until('its agents gone', ({ connected }) => connected < all.connected, STEP_MS);
  await crew.until('all back', ({ connected, welcomes: now }) => connected === agents && now > welcomes, STEP_MS);
  say('gateway killed', `all ${crew.tally().welcomes - welcomes} welcomes again after ${since(start)}`);
  calls.stop();
  const ms = (share: number) => `${percentileOf(calls.took, share)?.toFixed(0)} ms`;
  say('API meanwhile', `${calls.took.length} calls, p50 ${ms(0.5)}, p99 ${ms(0.99)}, ${calls.faults.length} failed`);
  for (const [reason, count] of Object.entries(crew.tally().failures)) console.log(`  ${count} × ${reason}`);
  console.log(
    `ratio: ${(crew.tally().connected / agents).toFixed(3)} of the agents are connected, ${dropped.agents} asked for`,
  );
} finally {
  await crew.stop();
  await server.close();
}
