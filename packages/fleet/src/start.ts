/** A fleet on a server: planned, started, and told what to do. What `bench fleet` and the benchmarks stand on. */
import { connect } from 'node:net';
import type { Behaviour } from './agent/behaviour.ts';
import { type Crew, startCrew } from './crew/start-crew.ts';
import { addressOf } from './link/address-of.ts';
import { readMachineLimits } from './plan/machine-limits.ts';
import { type FleetPlan, planFleet } from './plan/plan-fleet.ts';

export type FleetOrder = {
  readonly server: string;
  readonly token: string;
  readonly agents: number;
  readonly processes: number | null;
  readonly ratePerSecond: number;
  readonly seed: string;
  readonly behaviour: Behaviour;
  readonly plan: FleetPlan;
};

const answersAt = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });

/** Addresses of loopback that are tried: each has local ports of its own. */
const LOOPBACKS = 32;

/** At how many loopback addresses the server answers, from 127.0.0.1 on; 1 for a server elsewhere. */
const countAddresses = async (server: string | null, wanted: number): Promise<number> => {
  const url = server === null ? null : new URL(server);
  if (url?.hostname !== '127.0.0.1') return 1;
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  for (let place = 1; place < Math.min(wanted, LOOPBACKS); place++)
    if (!(await answersAt(new URL(addressOf(url.origin, place, LOOPBACKS)).hostname, port))) return place;
  return Math.max(1, Math.min(wanted, LOOPBACKS));
};

type Wish = Pick<FleetOrder, 'agents' | 'processes' | 'ratePerSecond'> & {
  /** Null: one of its own, with so many gateways. */
  readonly server: string | null;
  readonly gateways?: number;
  readonly isTls: boolean;
};

/** Whether so many agents need more addresses of a server than one: each has local ports of its own. */
export const needsAddresses = (agents: number): boolean => agents > readMachineLimits().ports;

/** Throws the sentence that says which limit stands in the way. */
export const plannedFleet = async (wish: Wish): Promise<FleetPlan> => {
  const limits = readMachineLimits();
  // all that there are, where one for all does not do
  const wanted = wish.agents > limits.ports ? LOOPBACKS : 1;
  const isOwnServer = wish.server === null;
  // one of its own listens wherever it is needed
  const addresses = isOwnServer ? wanted : await countAddresses(wish.server, wanted);
  const planned = planFleet({ ...wish, gateways: wish.gateways ?? 0, isOwnServer, addresses }, limits);
  if (!planned.ok) throw new Error(planned.fault);
  return planned.plan;
};

/** `command` starts the `longarm` program; arguments follow. Enrolment begins at once. */
export const startFleet = (command: readonly string[], order: FleetOrder): Crew => {
  const { perProcess, addresses } = order.plan;
  let first = 0;
  const tasks = perProcess.map((count) => {
    const task = {
      order: 'enrol' as const,
      server: order.server,
      addresses,
      token: order.token,
      seed: order.seed,
      first,
      count,
      ratePerSecond: (order.ratePerSecond * count) / order.agents,
      behaviour: order.behaviour,
    };
    first += count;
    return task;
  });
  return startCrew([...command, 'bench', 'fleet', '--process'], tasks);
};
