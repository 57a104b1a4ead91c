/**
 * Traces are told from outside, as metrics are: the parts are wrapped where they are wired, and the core knows nothing of
 * it. What an action waited for between two parts is the gap between their steps.
 */
import { randomBytes } from 'node:crypto';
import type { FinalStatus } from '@longarm/contract/action';
import type { ActionId, MachineId } from '@longarm/contract/ids';
import { VERSION } from '@longarm/contract/version';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { issueResultLink } from '../actions/issue-result-link.ts';
import type { ActionStore, RecordOutcome, Reported } from '../actions/ports.ts';
import type { requestLiveResponse } from '../actions/request-live-response.ts';
import type { ResultLinks } from '../auth/result-link.ts';
import type { ServerConfig } from '../config.ts';
import { openTraces, type Traces, traceparentOf } from '../telemetry/traces.ts';

/** Offers and commands on their way that are remembered for their begin; the oldest are forgotten. */
const KEPT = 10_000;

const now = () => performance.timeOrigin + performance.now();

/** When something began, until it is over. */
const begins = () => {
  const kept = new Map<string, number>();
  return {
    note: (key: string, atMs: number) => {
      kept.set(key, atMs);
      const oldest = kept.size > KEPT ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
    },
    take: (key: string): number | null => {
      const at = kept.get(key) ?? null;
      kept.delete(key);
      return at;
    },
  };
};

const faultOf = (status: FinalStatus): { readonly fault?: string } => (status === 'Succeeded' ? {} : { fault: status });

/** Offers go out from here, and come back as facts: both ends of what the network and the device take. */
export type Tracing = {
  readonly store: (actions: ActionStore) => ActionStore;
  readonly request: (use: ReturnType<typeof requestLiveResponse>) => ReturnType<typeof requestLiveResponse>;
  readonly link: (use: ReturnType<typeof issueResultLink>) => ReturnType<typeof issueResultLink>;
  readonly download: (
    send: (request: Request) => Promise<Response>,
    links: Pick<ResultLinks, 'read'>,
  ) => (request: Request) => Promise<Response>;
  /** What an offer carries more; and it is on its way now. */
  readonly offered: (actionId: ActionId) => Pick<Extract<FrameToAgent, { type: 'offer' }>, 'traceparent'>;
  readonly close: () => Promise<void>;
};

type Begins = ReturnType<typeof begins>;
type TraceIo = { readonly traces: Traces; readonly offers: Begins; readonly commands: Begins };
type Recorded = {
  readonly machineId: MachineId;
  readonly startMs: number;
  readonly outcome: Extract<RecordOutcome, { kind: 'recorded' }>;
};

/** What took the device its time, as it says itself. */
const tellCommand = ({ traces, commands }: TraceIo, { fact, steps = [] }: Reported) => {
  if (fact.kind !== 'command-finished') return;
  const { actionId, index, outcome } = fact;
  const about = { 'longarm.command.index': index };
  const startMs = commands.take(`${actionId} ${index}`) ?? fact.at;
  const attributes = { ...about, 'longarm.command.outcome': outcome };
  traces.step({ actionId, name: 'command', where: 'device', startMs, endMs: fact.at, attributes });
  for (const { name, startedAt, milliseconds } of steps)
    traces.step({
      ...{ actionId, name, where: 'device', attributes: about },
      ...{ startMs: startedAt, endMs: startedAt + milliseconds },
    });
};

const tellRecorded = (io: TraceIo, reported: Reported, { machineId, startMs, outcome }: Recorded) => {
  const { traces, offers, commands } = io;
  const { fact } = reported;
  const { actionId } = fact;
  const about = { 'longarm.machine.id': machineId };
  const offeredMs = fact.kind === 'accepted' ? offers.take(actionId) : null;
  if (offeredMs !== null)
    traces.step({ actionId, name: 'offer until accepted', startMs: offeredMs, endMs: startMs, attributes: about });
  if (fact.kind === 'command-started') commands.note(`${actionId} ${fact.index}`, fact.at);
  tellCommand(io, reported);
  traces.step({ actionId, name: 'record', startMs, endMs: now(), attributes: { ...about, 'longarm.fact': fact.kind } });
  if (outcome.ended === null) return;
  const { status, createdAt } = outcome.ended;
  const attributes = { ...about, 'longarm.status': status };
  traces.whole({ actionId, startMs: createdAt, endMs: now(), attributes, ...faultOf(status) });
};

const tracedStore = (io: TraceIo, actions: ActionStore): ActionStore => ({
  ...actions,
  claimNext: async (terms) => {
    const startMs = now();
    const outcome = await actions.claimNext(terms);
    if (outcome.kind === 'claimed')
      io.traces.step({ actionId: outcome.claim.actionId, name: 'claim', startMs, endMs: now() });
    return outcome;
  },
  record: async (told) => {
    const startMs = now();
    const outcomes = await actions.record(told);
    for (const [place, outcome] of outcomes.entries()) {
      const reported = told.reports[place];
      // what is told again changes nothing, and was told of before
      if (reported !== undefined && outcome.kind === 'recorded' && outcome.changed)
        tellRecorded(io, reported, { machineId: told.machineId, startMs, outcome });
    }
    return outcomes;
  },
  cancel: async (asked) => {
    const startMs = now();
    const outcome = await actions.cancel(asked);
    if (outcome.kind !== 'cancelled') return outcome;
    const { id: actionId, createdAt } = outcome.action;
    io.traces.step({ actionId, name: 'cancel', startMs, endMs: now() });
    io.traces.whole({ actionId, startMs: createdAt, endMs: now(), fault: 'Cancelled' });
    return outcome;
  },
  expireOverdue: async (moment, limit) => {
    const expired = await actions.expireOverdue(moment, limit);
    for (const { actionId, createdAt } of expired)
      io.traces.whole({ actionId, startMs: createdAt, endMs: now(), fault: 'TimeOut' });
    return expired;
  },
});

const tracing = (traces: Traces): Tracing => {
  const io: TraceIo = { traces, offers: begins(), commands: begins() };
  return {
    store: (actions) => tracedStore(io, actions),
    request: (use) => async (caller, asked) => {
      const startMs = now();
      const action = await use(caller, asked);
      const attributes = { 'longarm.machine.id': action.machineId, 'longarm.commands': action.commands.length };
      traces.step({ actionId: action.id, name: 'request', startMs, endMs: now(), attributes });
      return action;
    },
    link: (use) => async (caller, result) => {
      const startMs = now();
      const link = await use(caller, result);
      traces.step({ actionId: result.actionId, name: 'result link', startMs, endMs: now() });
      return link;
    },
    download: (send, links) => async (request) => {
      const startMs = now();
      const response = await send(request);
      const address = links.read(new URL(request.url));
      if (typeof address === 'object' && address !== null)
        traces.step({ actionId: address.actionId, name: 'download begins', startMs, endMs: now() });
      return response;
    },
    offered: (actionId) => {
      io.offers.note(actionId, now());
      return { traceparent: traceparentOf(actionId) };
    },
    close: traces.close,
  };
};

/** Null where traces are off. */
export const tracingOf = ({ traces: url }: Pick<ServerConfig, 'traces'>): Tracing | null =>
  url === null
    ? null
    : tracing(openTraces({ url, version: VERSION, randomHex: (bytes) => randomBytes(bytes).toString('hex') }));
