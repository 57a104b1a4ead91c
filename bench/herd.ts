/**
 * kill -9 of the server with a herd of agents connected, and how soon all are back:
 *
 *   bun --no-install bench/herd.ts [--agents 10000] [--tls] [--limit name=value]… | --quick
 *
 * Prints seconds from the kill and from when the server listened again, until every agent was welcomed, and what calls of
 * the API took meanwhile; at last how the first is to the time that it may take.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_BEHAVIOUR } from '@longarm/fleet/agent/behaviour';
import { percentileOf } from '@longarm/fleet/agent/tally';
import { plannedFleet, startFleet } from '@longarm/fleet/start';
import { startOwnServer } from '@longarm/fleet/target/own-server';
import { processCost } from '@longarm/fleet/target/process-cost';
import { openAdmin } from '@longarm/server/open-admin';
import { callApi } from './herd/call-api.ts';

const STEP_MS = 240_000;
const WANTED_SECONDS = 15;

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '10000' },
    quick: { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    limit: { type: 'string', multiple: true, default: [] },
  },
});
const agents = values.quick ? 50 : Number(values.agents);
const longarm = [process.execPath, '--no-install', join(import.meta.dir, '../packages/longarm/src/main.ts')];

const since = (start: number): number => (performance.now() - start) / 1_000;
const seconds = (value: number): string => `${value.toFixed(1)} s`;

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
  const tookSeconds = since(killed);
  const { processorSeconds = 0 } = processCost(server.pidNow()) ?? {};
  const ms = (share: number) => `${percentileOf(calls.took, share)?.toFixed(0)} ms`;
  console.log(`${agents} agents ${values.tls ? 'by TLS' : 'plain'}: all back ${seconds(tookSeconds)} after the kill,`);
  console.log(
    `  ${seconds(since(listened))} after the server listened; its processor time ${seconds(processorSeconds)}`,
  );
  console.log(
    `API meanwhile: ${calls.took.length} calls, p50 ${ms(0.5)}, p99 ${ms(0.99)}, ${calls.faults.length} failed`,
  );
  for (const [reason, count] of Object.entries(crew.tally().failures)) console.log(`  ${count} × ${reason}`);
  console.log(`ratio: ${(tookSeconds / WANTED_SECONDS).toFixed(2)} of the ${WANTED_SECONDS} s that a herd may take`);
} finally {
  await crew.stop();
  await server.close();
}
