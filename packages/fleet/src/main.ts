/** `longarm bench fleet`: reads the command line, runs a fleet, and says what it found. */

import { FLEET_HELP, type FleetConfig, readFleetConfig } from './config.ts';
import { runProcess } from './crew/run-process.ts';
import { type Crew, sentenceOf } from './crew/start-crew.ts';
import { fetchTrust, readToken } from './identity/server-trust.ts';
import type { FleetPlan } from './plan/plan-fleet.ts';
import { type Findings, failuresOf, spread, tableOf } from './report.ts';
import { needsAddresses, plannedFleet, startFleet } from './start.ts';
import { type FleetTarget, type OwnServerIo, startOwnServer } from './target/own-server.ts';
import { processCost } from './target/process-cost.ts';
import { type RunReport, requestRuns, uploadScript } from './target/request-runs.ts';

/** All agents have this long for each step, and a second for every hundred of them. */
const STEP_MS = 60_000;
const patienceMs = (agents: number): number => STEP_MS + agents * 10;

const NOTHING_ASKED: RunReport = { accepted: 0, refused: {}, requestMs: [] };

const seconds = async <Answer>(work: () => Promise<Answer>) => {
  const since = performance.now();
  const answer = await work();
  return { answer, took: (performance.now() - since) / 1_000 };
};

const targetOf = async (io: OwnServerIo, config: FleetConfig): Promise<FleetTarget> => {
  const { server, token, client } = config;
  if (server === null || token === null)
    return startOwnServer(io, { ...config, isWide: needsAddresses(config.agents) });
  return { url: server, token, client, pid: null, close: async () => {} };
};

const runAll = async (config: FleetConfig, target: FleetTarget, crew: Crew) => {
  const { run, agents, seed } = config;
  if (run === null || target.client === null) return null;
  const [script = '', ...args] = run.split(' ');
  const trust = await fetchTrust(target.url, readToken(target.token));
  const order = { server: target.url, trust, client: target.client, seed, agents, script, args: args.join(' ') };
  if (target.pid !== null) await uploadScript(order);
  const { answer, took } = await seconds(async () => {
    const report = await requestRuns(order);
    const tally = await crew.until('every action done', ({ ended }) => ended >= report.accepted, patienceMs(agents));
    return { report, tally };
  });
  return { ...answer, took };
};

/** With agents asleep by turns, all that can be waited for is that each was there once. */
const allThere = (config: FleetConfig) =>
  config.behaviour.asleep > 0
    ? (tally: { readonly welcomes: number }) => tally.welcomes >= config.agents
    : (tally: { readonly connected: number }) => tally.connected === config.agents;

const find = async (
  config: FleetConfig,
  plan: FleetPlan,
  at: { readonly target: FleetTarget; readonly crew: Crew },
): Promise<Findings> => {
  const { target, crew } = at;
  const { agents } = config;
  const patience = patienceMs(agents);
  const enrol = await seconds(() =>
    crew.until('every agent enrolled', ({ enrolled }) => enrolled === agents, patience),
  );
  const before = target.pid === null ? null : processCost(target.pid);
  const connect = await seconds(() => {
    crew.connect();
    return crew.until('every agent connected', allThere(config), patience + (1_000 * agents) / config.ratePerSecond);
  });
  const after = target.pid === null ? null : processCost(target.pid);
  const ran = await runAll(config, target, crew);
  await Bun.sleep(config.holdSeconds * 1_000);
  const tally = crew.tally();
  const report = ran?.report ?? NOTHING_ASKED;
  const cost = target.pid === null ? null : processCost(target.pid);
  return {
    agents,
    processes: plan.processes,
    connected: tally.connected,
    welcomes: tally.welcomes,
    enrolSeconds: enrol.took,
    connectSeconds: connect.took,
    connectMs: spread(connect.answer.connectMs),
    actions:
      ran === null
        ? null
        : {
            asked: agents,
            accepted: report.accepted,
            done: ran.tally.ended,
            seconds: ran.took,
            actionMs: spread(ran.tally.actionMs),
          },
    server:
      before === null || after === null || cost === null
        ? null
        : {
            kbPerAgent: (after.residentBytes - before.residentBytes) / 1_024 / agents,
            processorSeconds: cost.processorSeconds,
          },
    failures: failuresOf(tally, report.refused),
  };
};

const fleet = async (io: OwnServerIo, config: FleetConfig): Promise<Findings> => {
  const plan = await plannedFleet(config);
  const target = await targetOf(io, config);
  const crew = startFleet(io.longarm, { ...config, server: target.url, token: target.token, plan });
  const progress = setInterval(() => process.stderr.write(`${sentenceOf(crew.tally())}\n`), 1_000);
  try {
    return await find(config, plan, { target, crew });
  } finally {
    clearInterval(progress);
    await crew.stop().catch(() => undefined);
    await target.close();
  }
};

const processWorld = {
  input: process.stdin,
  write: (line: string) => void process.stdout.write(line),
  monotonic: () => performance.now(),
  now: () => Date.now(),
  random: () => Math.random(),
};

/** Resolves to the exit code: 2 for what cannot be understood or planned, 1 for what failed. Never rejects. */
export const runFleet = async (io: OwnServerIo, argv: readonly string[]): Promise<number> => {
  try {
    if (argv.includes('--process')) {
      await runProcess(processWorld);
      return 0;
    }
    if (argv.includes('--help') || argv.includes('-h')) {
      process.stdout.write(FLEET_HELP);
      return 0;
    }
    const config = readFleetConfig(argv);
    const found = await fleet(io, config);
    process.stdout.write(`${config.isJson ? JSON.stringify(found) : tableOf(found)}\n`);
    return 0;
  } catch (fault) {
    process.stderr.write(`longarm bench fleet: ${fault instanceof Error ? fault.message : String(fault)}\n`);
    return 2;
  }
};
