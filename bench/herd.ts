/**
 * kill -9 of the server with a herd of agents connected, and how soon all are back:
 *
 *   bun --no-install bench/herd.ts [--agents 10000] [--tls] [--limit name=value]…
 *
 * Prints seconds from the kill and from when the server listened again, until every agent was welcomed, and what calls of
 * the API took meanwhile.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_BEHAVIOUR } from '@longarm/fleet/agent/behaviour';
import { percentileOf } from '@longarm/fleet/agent/tally';
import { fetchTrust, readToken } from '@longarm/fleet/identity/server-trust';
import { plannedFleet, startFleet } from '@longarm/fleet/start';
import { type OwnServer, startOwnServer } from '@longarm/fleet/target/own-server';
import { processCost } from '@longarm/fleet/target/process-cost';
import { openAccess } from '@longarm/fleet/target/request-runs';
import { openAdmin } from '@longarm/server/open-admin';

const STEP_MS = 240_000;
/** Calls of the API begun a second while the herd comes back. */
const CALLS_PER_SECOND = 20;

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '10000' },
    tls: { type: 'boolean', default: false },
    limit: { type: 'string', multiple: true, default: [] },
  },
});
const agents = Number(values.agents);
const longarm = [process.execPath, '--no-install', join(import.meta.dir, '../packages/longarm/src/main.ts')];

const since = (start: number): number => (performance.now() - start) / 1_000;
const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** Calls until it is stopped; gives milliseconds of each that was answered, and how many were not. */
const callApi = async (server: OwnServer) => {
  const trust = await fetchTrust(server.url, readToken(server.token));
  const client = server.client ?? { id: '', secret: '' };
  const headers = await openAccess({ server: server.url, trust, client });
  const took: number[] = [];
  const faults: string[] = [];
  const paths = ['/api/machineactions?$top=1', '/api/machines?$top=1'];
  const call = async (path: string) => {
    const start = performance.now();
    try {
      const answer = await fetch(server.url + path, { headers, ...trust });
      await answer.body?.cancel();
      if (answer.ok) took.push(performance.now() - start);
      else faults.push(`HTTP ${answer.status}`);
    } catch (fault) {
      faults.push(fault instanceof Error ? fault.message : String(fault));
    }
  };
  let count = 0;
  const timer = setInterval(() => void call(paths[count++ % paths.length] ?? ''), 1_000 / CALLS_PER_SECOND);
  return { took, faults, stop: () => clearInterval(timer) };
};

const server = await startOwnServer(
  { longarm, openAdmin },
  { isTls: values.tls, flags: values.limit.flatMap((limit) => ['--limit', limit]) },
);
const wish = { server: server.url, token: server.token, agents, processes: null, ratePerSecond: 1_000 };
const plan = await plannedFleet({ ...wish, isTls: values.tls });
const crew = startFleet(longarm, { ...wish, seed: 'herd', behaviour: DEFAULT_BEHAVIOUR, plan });
try {
  await crew.until('all enrolled', ({ enrolled }) => enrolled === agents, STEP_MS);
  crew.connect();
  const before = await crew.until('all connected', ({ connected }) => connected === agents, STEP_MS);
  const killed = performance.now();
  await server.crash();
  const listened = performance.now();
  const calls = await callApi(server);
  await crew.until(
    'all back',
    ({ connected, welcomes }) => connected === agents && welcomes >= before.welcomes + agents,
    STEP_MS,
  );
  calls.stop();
  const { processorSeconds = 0 } = processCost(server.pidNow()) ?? {};
  const ms = (share: number) => `${percentileOf(calls.took, share)?.toFixed(0)} ms`;
  console.log(
    `${agents} agents ${values.tls ? 'by TLS' : 'plain'}: all back ${seconds(since(killed))} after the kill,`,
  );
  console.log(
    `  ${seconds(since(listened))} after the server listened; its processor time ${seconds(processorSeconds)}`,
  );
  console.log(
    `API meanwhile: ${calls.took.length} calls, p50 ${ms(0.5)}, p99 ${ms(0.99)}, ${calls.faults.length} failed`,
  );
  for (const [reason, count] of Object.entries(crew.tally().failures)) console.log(`  ${count} × ${reason}`);
} finally {
  await crew.stop();
  await server.close();
}
