/**
 * One process of the fleet: reads orders from standard input, one a line, enrols and connects its share of the agents,
 * and writes its tally to standard output, one a line. It ends when its input does, so that it never outlives the fleet.
 */
import { createInterface } from 'node:readline';
import type { EnrolAnswer } from '@longarm/contract/wire/enrolment';
import { newAgent } from '../agent/agent.ts';
import { DEFAULT_BEHAVIOUR } from '../agent/behaviour.ts';
import type { FleetIo } from '../agent/fleet-io.ts';
import { newTally, type Tally } from '../agent/tally.ts';
import { enrolAgent } from '../identity/enrol-agent.ts';
import { fetchTrust, readToken, type Trust } from '../identity/server-trust.ts';
import { PULSE_MS, pulse } from '../link/pulse.ts';
import { onWorkFrame } from '../work/on-work-frame.ts';
import { envelopeKeyOf } from '../work/read-envelope.ts';
import { contentOf } from '../work/transfer.ts';
import { type Assignment, Order } from './assignment.ts';

/** Enrolments on their way at once. */
const ENROLS_AHEAD = 32;
const TELL_MS = 200;

export type ProcessWorld = Pick<FleetIo, 'monotonic' | 'now' | 'random'> & {
  readonly input: NodeJS.ReadableStream;
  readonly write: (line: string) => void;
};

const enrolAll = async (task: Assignment, trust: Trust, tally: Tally): Promise<EnrolAnswer> => {
  const pause = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1_000));
  const order = { ...task, trust, pause };
  let next = task.first;
  let last: EnrolAnswer | null = null;
  const work = async () => {
    while (next < task.first + task.count) {
      last = await enrolAgent(order, next++);
      tally.enrolled++;
    }
  };
  await Promise.all(Array.from({ length: Math.min(ENROLS_AHEAD, task.count) }, work));
  if (last === null) throw new Error('expected at least one agent');
  return last;
};

const enrolled = async (world: ProcessWorld, task: Assignment, tally: Tally): Promise<FleetIo> => {
  const trust = await fetchTrust(task.server, readToken(task.token));
  const { audience, tenantId, envelopeKey } = await enrolAll(task, trust, tally);
  const behaviour = { ...DEFAULT_BEHAVIOUR, ...task.behaviour };
  return {
    server: task.server,
    addresses: task.addresses,
    seed: task.seed,
    trust,
    audience,
    tenantId,
    envelopeKey: envelopeKeyOf(envelopeKey),
    behaviour,
    output: contentOf(Math.round(behaviour['output-bytes'])),
    nothing: contentOf(0),
    tally,
    monotonic: world.monotonic,
    now: world.now,
    random: world.random,
  };
};

const connectAll = (io: FleetIo, task: Assignment): (() => void) => {
  const start = io.monotonic();
  const agents = Array.from({ length: task.count }, (_, place) =>
    newAgent(task.first + place, start + (1_000 * place) / task.ratePerSecond),
  );
  const timer = setInterval(() => pulse(io, agents, onWorkFrame), PULSE_MS);
  return () => {
    clearInterval(timer);
    for (const { socket } of agents) socket?.close();
  };
};

/** Counts as they are, samples since the last line. */
const tellTally = (world: ProcessWorld, tally: Tally) => {
  world.write(`${JSON.stringify(tally)}\n`);
  tally.connectMs.length = 0;
  tally.actionMs.length = 0;
};

/** Resolves when the input has ended and the connections are closed. Rejects with a sentence. */
export const runProcess = async (world: ProcessWorld): Promise<void> => {
  let joined: { readonly task: Assignment; readonly tally: Tally; readonly io: FleetIo } | null = null;
  let disconnect = () => {};
  let timer: ReturnType<typeof setInterval> | null = null;
  try {
    for await (const line of createInterface({ input: world.input })) {
      const order = Order.parse(JSON.parse(line));
      if (order.order === 'enrol') {
        const tally = newTally(order.count);
        timer = setInterval(() => tellTally(world, tally), TELL_MS);
        joined = { task: order, tally, io: await enrolled(world, order, tally) };
      } else if (joined !== null) disconnect = connectAll(joined.io, joined.task);
    }
  } finally {
    disconnect();
    if (timer !== null) clearInterval(timer);
  }
};
