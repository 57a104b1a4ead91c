/** How many processes and addresses a fleet needs, or which limit stands in its way: said before anything starts. */
import type { MachineLimits } from './machine-limits.ts';

/** Files that a process has open besides its agents' sockets: transfers, the runtime's own, pipes. */
export const FILES_BESIDES = 600;
/** Resident bytes of one agent in its process, measured (docs/benchmarks.md), with room for the kernel's side. */
const AGENT_BYTES = 24 * 1_024;
/** With TLS a socket holds its buffers and session, too. */
const AGENT_TLS_BYTES = 96 * 1_024;
/** The same on the server, where it runs on this machine, too. */
const SERVER_BYTES = 32 * 1_024;
/** Handshakes a second that one core can begin, at most. */
const DIALS_PER_CORE = 4_000;

export type FleetWish = {
  readonly agents: number;
  /** Null: as many as are needed. */
  readonly processes: number | null;
  readonly ratePerSecond: number;
  readonly isTls: boolean;
  /** The server is one that the fleet starts, on this machine. */
  readonly isOwnServer: boolean;
  /** Processes in which that server holds connections; 0: its main one does. */
  readonly gateways: number;
  /** Loopback addresses at which the server can be reached: each has ports of its own. */
  readonly addresses: number;
};

export type FleetPlan = {
  readonly processes: number;
  readonly perProcess: readonly number[];
  /** Addresses of the server that agents take in turn. */
  readonly addresses: number;
};

type Planned = { readonly ok: true; readonly plan: FleetPlan } | { readonly ok: false; readonly fault: string };

const count = (number: number): string => Math.floor(number).toLocaleString('en');

const fileFault = (wish: FleetWish, perProcess: number, limits: MachineLimits) => {
  const { agents, processes, isOwnServer, gateways } = wish;
  const files = `a process may have ${count(limits.openFiles)} files open here (ulimit -n), so ${count(perProcess)} sockets`;
  const most = perProcess * Math.max(1, gateways);
  if (isOwnServer && agents > most)
    return `the server that the fleet would start cannot hold ${count(agents)} connections${gateways > 1 ? ` in ${gateways} gateways` : ''}: ${files}. Ask for at most ${count(most)} agents, raise ulimit -n, add --gateways ${Math.ceil(agents / perProcess)}, or give a server elsewhere with --server.`;
  if (processes !== null && agents > processes * perProcess)
    return `${processes} processes cannot hold ${count(agents)} agents: ${files}. Leave --processes out, or ask for at least ${Math.ceil(agents / perProcess)}.`;
  return null;
};

const portFault = ({ agents, addresses }: FleetWish, { ports }: MachineLimits) =>
  agents > addresses * ports
    ? `${count(agents)} agents need ${count(agents)} local ports, and there are ${count(ports)} for each address of the server (net.ipv4.ip_local_port_range), which answers at ${addresses}. Widen the range, let a server on loopback listen on 0.0.0.0, or run the rest from another machine.`
    : null;

const memoryFault = ({ agents, isTls, isOwnServer }: FleetWish, { freeMemoryBytes }: MachineLimits) => {
  const each = (isTls ? AGENT_TLS_BYTES : AGENT_BYTES) + (isOwnServer ? SERVER_BYTES : 0);
  const most = freeMemoryBytes / each;
  return agents > most
    ? `${count(agents)} agents need about ${count((agents * each) / 2 ** 20)} MiB of memory, and ${count(freeMemoryBytes / 2 ** 20)} MiB are free. Ask for at most ${count(most)}, or run the rest from another machine.`
    : null;
};

const rateFault = ({ ratePerSecond }: FleetWish, { cores }: MachineLimits) => {
  const most = cores * DIALS_PER_CORE;
  return ratePerSecond > most
    ? `--rate ${count(ratePerSecond)} is more than the ${cores} cores of this machine can begin: about ${count(most)} connections a second. Ask for less, or run several fleets on several machines.`
    : null;
};

/** Shares that differ by one at most. */
const shares = (agents: number, processes: number): readonly number[] =>
  Array.from(
    { length: processes },
    (_, place) => Math.floor(agents / processes) + (place < agents % processes ? 1 : 0),
  );

export const planFleet = (wish: FleetWish, limits: MachineLimits): Planned => {
  const perProcess = limits.openFiles - FILES_BESIDES;
  const processes = Math.min(wish.agents, wish.processes ?? Math.ceil(wish.agents / perProcess));
  const fault =
    memoryFault(wish, limits) ??
    fileFault(wish, perProcess, limits) ??
    portFault(wish, limits) ??
    rateFault(wish, limits);
  if (fault !== null) return { ok: false, fault };
  // all of them, where one does not do: which gateway gets a connection hangs on its ports, and they must not run short
  const addresses = wish.agents > limits.ports ? wish.addresses : 1;
  return { ok: true, plan: { processes, perProcess: shares(wish.agents, processes), addresses } };
};
