/** An action on a simulated agent: everything that a real one says and transfers, with nothing executed. */
import { COMMANDS } from '@longarm/contract/commands/index';
import type { EnvelopeCommand, EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { UploadedResult } from '@longarm/contract/wire/to-server';
import type { Agent, Work } from '../agent/agent.ts';
import type { FleetIo } from '../agent/fleet-io.ts';
import { tell } from '../agent/outbox.ts';
import { countFailure } from '../agent/tally.ts';
import { agentKey } from '../identity/agent-key.ts';
import { download, type TransferWay, upload } from './transfer.ts';

const pause = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

/** What a cancel and a failure have in common: the command is told as Failed, and nothing is owed with it. */
const FAILURES = { cancelled: 'cancelled while it ran', scripted: 'failed, as the behaviour of this fleet says' };

type Doing = { readonly agent: Agent; readonly work: Work };

const wayOf = (io: FleetIo, { agent, work }: Doing): TransferWay => {
  const { server, trust, audience } = io;
  return {
    server,
    trust,
    audience,
    ticket: work.ticket,
    key: agentKey(io.seed, agent.index),
    now: () => io.now() + agent.aheadMs,
  };
};

/** Sends what a command leaves; every stream that a Completed one owes. */
export const sendResults = async (
  io: FleetIo,
  doing: Doing,
  place: { readonly index: number; readonly type: EnvelopeCommand['command']['type'] },
) => {
  const results: UploadedResult[] = [];
  for (const stream of COMMANDS[place.type].results) {
    const content = stream === 'stderr' ? io.nothing : io.output;
    const target = { actionId: doing.work.actionId, index: place.index, stream };
    results.push(await upload(wayOf(io, doing), target, content));
  }
  return results;
};

const finish = (
  io: FleetIo,
  doing: Doing,
  end: {
    readonly index: number;
    readonly errors: string[];
    readonly exitCode: number | null;
    readonly results: UploadedResult[];
  },
) =>
  tell(doing.agent, {
    kind: 'command-finished',
    actionId: doing.work.actionId,
    at: io.now(),
    outcome: end.errors.length === 0 ? 'Completed' : 'Failed',
    ...end,
  });

const failureOf = (io: FleetIo, { work }: Doing): string | null => {
  if (work.isCancelled) return FAILURES.cancelled;
  return io.random() < io.behaviour.fail ? FAILURES.scripted : null;
};

/** True when the next command is to follow. */
const doCommand = async (
  io: FleetIo,
  doing: Doing,
  step: { readonly index: number; readonly order: EnvelopeCommand },
): Promise<boolean> => {
  const { index, order } = step;
  const { type } = order.command;
  tell(doing.agent, { kind: 'command-started', actionId: doing.work.actionId, index, at: io.now() });
  if (order.file !== null) await download(wayOf(io, doing), doing.work.actionId, order.file);
  await pause(io.behaviour['latency-ms'] * (0.5 + io.random()));
  const failure = failureOf(io, doing);
  if (failure !== null) {
    finish(io, doing, { index, errors: [failure], exitCode: null, results: [] });
    return false;
  }
  const results = await sendResults(io, doing, { index, type });
  finish(io, doing, { index, errors: [], exitCode: type === 'RunScript' ? 0 : null, results });
  return true;
};

/** Never rejects: what goes wrong is counted, and told as a failed command. */
export const doAction = async (
  io: FleetIo,
  agent: Agent,
  order: { readonly work: Work; readonly payload: EnvelopePayload },
): Promise<void> => {
  const { work, payload } = order;
  const { actionId } = work;
  const doing: Doing = { agent, work };
  tell(agent, { kind: 'accepted', actionId, at: io.now() });
  let index = 0;
  try {
    for (const command of payload.commands) {
      if (!(await doCommand(io, doing, { index, order: command }))) break;
      index++;
    }
  } catch (fault) {
    const sentence = fault instanceof Error ? fault.message : String(fault);
    countFailure(io.tally, sentence);
    finish(io, doing, { index, errors: [sentence.slice(0, 2_000)], exitCode: null, results: [] });
  }
  tell(agent, { kind: 'action-ended', actionId, at: io.now(), how: work.isCancelled ? 'cancelled' : 'done' });
};
