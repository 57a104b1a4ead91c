/**
 * One action for each of a thousand connected devices, from the first request to the last result:
 *
 *   bun --no-install bench/fan-out.ts [devices] | --quick
 *
 * Simulated agents of packages/fleet over real sockets, limits out of the way; times are those of the server's rows. Six
 * rounds: the first three are those of a server that has just begun, whose code the runtime compiles meanwhile; of the last three the
 * median counts.
 */
import { join } from 'node:path';
import { DEFAULT_BEHAVIOUR } from '@longarm/fleet/agent/behaviour';
import { fetchTrust, readToken } from '@longarm/fleet/identity/server-trust';
import { plannedFleet, startFleet } from '@longarm/fleet/start';
import { startOwnServer } from '@longarm/fleet/target/own-server';
import { processCost } from '@longarm/fleet/target/process-cost';
import { openAccess, requestRuns, uploadScript } from '@longarm/fleet/target/request-runs';
import { openAdmin } from '@longarm/server/open-admin';
import { percentileOf } from './latency/percentile.ts';

const FIRST_ROUNDS = 3;
const ROUNDS = 2 * FIRST_ROUNDS;
const STEP_MS = 60_000;
const WANTED_MS = 1_000;
const isQuick = process.argv.includes('--quick');
const agents = isQuick ? 20 : Number(process.argv[2] ?? 1_000);
const longarm = [process.execPath, '--no-install', join(import.meta.dir, '../packages/longarm/src/main.ts')];

type Row = { readonly status: string; readonly creationDateTimeUtc: string; readonly lastUpdateDateTimeUtc: string };

const server = await startOwnServer({ longarm, openAdmin }, { isTls: false });
try {
  const { url, token } = server;
  const trust = await fetchTrust(url, readToken(token));
  const client = server.client ?? { id: '', secret: '' };
  const plan = await plannedFleet({ agents, processes: null, ratePerSecond: 500, server: url, isTls: false });
  const behaviour = { ...DEFAULT_BEHAVIOUR, 'latency-ms': 0 };
  const order = { server: url, token, agents, processes: null, ratePerSecond: 500, seed: 'fan-out', behaviour, plan };
  const crew = startFleet(longarm, order);
  await crew.until('every device enrolled', ({ enrolled }) => enrolled === agents, STEP_MS);
  crew.connect();
  await crew.until('every device connected', ({ connected }) => connected === agents, STEP_MS);
  const runs = { server: url, trust, client, seed: 'fan-out', agents, script: 'fan-out.sh', args: '' };
  await uploadScript(runs);
  const headers = await openAccess(runs);
  const tookMs: number[] = [];
  const costOf = () => processCost(server.pidNow())?.processorSeconds ?? 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const before = costOf();
    const { accepted, refused } = await requestRuns(runs);
    if (accepted !== agents) throw new Error(`accepted ${accepted} of ${agents}: ${JSON.stringify(refused)}`);
    await crew.until(`round ${round} done`, ({ ended }) => ended >= round * agents, STEP_MS);
    const answer = await fetch(`${url}/api/machineactions?$top=${agents}`, { headers, ...trust });
    // the shape is the contract's
    const { value } = (await answer.json()) as { readonly value: readonly Row[] };
    const failed = value.filter(({ status }) => status !== 'Succeeded').length;
    if (failed > 0) throw new Error(`${failed} of ${agents} did not succeed`);
    const first = Math.min(...value.map((row) => Date.parse(row.creationDateTimeUtc)));
    const last = Math.max(...value.map((row) => Date.parse(row.lastUpdateDateTimeUtc)));
    tookMs.push(last - first);
    const perAction = ((costOf() - before) * 1_000) / agents;
    console.log(
      `round ${round}: ${agents} devices in ${last - first} ms; server: ${perAction.toFixed(2)} ms of processor each`,
    );
  }
  await crew.stop();
  const firstMs = percentileOf(tookMs.slice(0, FIRST_ROUNDS), 50);
  const median = percentileOf(tookMs.slice(FIRST_ROUNDS), 50);
  console.log(`a server that has just begun: ${(firstMs / WANTED_MS).toFixed(2)} of a second`);
  console.log(`ratio: ${(median / WANTED_MS).toFixed(2)} of a second for ${agents} devices (wanted: 1)`);
} finally {
  await server.close();
}
