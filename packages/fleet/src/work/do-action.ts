/** An action on a simulated agent: everything that a real one says and transfers, with nothing executed. */
import { COMMANDS } from '@longarm/contract/commands/index';
import type { Sha256 } from '@longarm/contract/ids';
import { INLINE_RESULT_BYTES } from '@longarm/contract/limits';
import type { ResultStream } from '@longarm/contract/result';
import type { EnvelopeCommand, EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { InlineContent, UploadedResult } from '@longarm/contract/wire/to-server';
import type { Agent, Work } from '../agent/agent.ts';
import type { FleetIo } from '../agent/fleet-io.ts';
import { tell } from '../agent/outbox.ts';
import { countFailure } from '../agent/tally.ts';
import { agentKey } from '../identity/agent-key.ts';
import { download, resultOf, type TransferWay, upload } from './transfer.ts';

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

type Left = { readonly results: UploadedResult[]; readonly contents: InlineContent[] };

/** What a command leaves that is small enough to go with its report, as a real agent sends it; null for more. */
const inlineResults = (io: FleetIo, type: EnvelopeCommand['command']['type']): Left | null => {
  const streams = COMMANDS[type].results;
  const contentOf = (stream: ResultStream) => (stream === 'stderr' ? io.nothing : io.output);
  const total = streams.reduce((sum, stream) => sum + contentOf(stream).bytes.length, 0);
  // a collected file is uploaded while it is read
  if (streams.includes('file') || total > INLINE_RESULT_BYTES) return null;
  return {
    results: streams.map((stream) => resultOf(stream, contentOf(stream))),
    contents: streams.map((stream) => ({ stream, content: contentOf(stream).base64 })),
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

const NOTHING: Left = { results: [], contents: [] };

const finish = (
  io: FleetIo,
  doing: Doing,
  end: {
    readonly index: number;
    readonly errors: string[];
    readonly exitCode: number | null;
    readonly left: Left;
  },
) => {
  const { index, errors, exitCode, left } = end;
  const { actionId } = doing.work;
  const outcome = errors.length === 0 ? 'Completed' : 'Failed';
  const { results, contents } = left;
  const fact = { kind: 'command-finished', actionId, at: io.now(), outcome, index, errors, exitCode, results } as const;
  tell(doing.agent, fact, contents);
};

const failureOf = (io: FleetIo, { work }: Doing): string | null => {
  if (work.isCancelled) return FAILURES.cancelled;
  return io.random() < io.behaviour.fail ? FAILURES.scripted : null;
};

/** True when the next command is to follow. */
const doCommand = async (
  io: FleetIo,
  doing: Doing,
  step: { readonly index: number; readonly order: EnvelopeCommand; readonly brought: ReadonlySet<Sha256> },
): Promise<boolean> => {
  const { index, order } = step;
  const { type } = order.command;
  tell(doing.agent, { kind: 'command-started', actionId: doing.work.actionId, index, at: io.now() });
  if (order.file !== null && !step.brought.has(order.file.sha256))
    await download(wayOf(io, doing), doing.work.actionId, order.file);
  await pause(io.behaviour['latency-ms'] * (0.5 + io.random()));
  const failure = failureOf(io, doing);
  if (failure !== null) {
    finish(io, doing, { index, errors: [failure], exitCode: null, left: NOTHING });
    return false;
  }
  const inline = inlineResults(io, type);
  const left = inline ?? { results: await sendResults(io, doing, { index, type }), contents: [] };
  finish(io, doing, { index, errors: [], exitCode: type === 'RunScript' ? 0 : null, left });
  return true;
};

/** Never rejects: what goes wrong is counted, and told as a failed command. */
export const doAction = async (
  io: FleetIo,
  agent: Agent,
  order: { readonly work: Work; readonly payload: EnvelopePayload; readonly brought: ReadonlySet<Sha256> },
): Promise<void> => {
  const { work, payload, brought } = order;
  const { actionId } = work;
  const doing: Doing = { agent, work };
  tell(agent, { kind: 'accepted', actionId, at: io.now() });
  let index = 0;
  try {
    for (const command of payload.commands) {
      if (!(await doCommand(io, doing, { index, order: command, brought }))) break;
      index++;
    }
  } catch (fault) {
    const sentence = fault instanceof Error ? fault.message : String(fault);
    countFailure(io.tally, sentence);
    finish(io, doing, { index, errors: [sentence.slice(0, 2_000)], exitCode: null, left: NOTHING });
  }
  tell(agent, { kind: 'action-ended', actionId, at: io.now(), how: work.isCancelled ? 'cancelled' : 'done' });
};
