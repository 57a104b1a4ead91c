/** What each frame of a device leads to. */
import type { MachineId } from '@longarm/contract/ids';
import type { Output } from '@longarm/contract/wire/live-output';
import type { Fact, FrameToServer, Report } from '@longarm/contract/wire/to-server';
import type { RecordOutcome } from '../actions/ports.ts';
import type { Tickets } from '../auth/ticket.ts';
import type { DeviceBudgets } from '../limits/device-budget.ts';
import { type FrameHandler, hold, refuse, release, type Session, send } from './session.ts';

type OnFrameIo = {
  readonly prove: (session: Session, frame: Extract<FrameToServer, { type: 'prove' }>) => Promise<void>;
  readonly record: (machineId: MachineId, fact: Fact) => Promise<RecordOutcome>;
  /** A piece of live output: a hint, passed on and forgotten. False for one that nobody asked for. */
  readonly onOutput: (machineId: MachineId, frame: Output) => boolean;
  readonly budgets: Pick<DeviceBudgets, 'giveBack'>;
  readonly tickets: Tickets;
  /** The device has the token of its connection on its disk. */
  readonly generationKept: (machineId: MachineId, generation: string) => Promise<void>;
};

/** Keeps in mind what the device holds, so that nothing is offered to it meanwhile. */
const holdOrRelease = (session: Session, fact: Fact) => {
  if (fact.kind === 'accepted') hold(session, fact.actionId);
  if (fact.kind === 'action-ended' || fact.kind === 'refused') release(session, fact.actionId);
};

const answerReport = (
  io: OnFrameIo,
  answered: {
    readonly session: Session;
    readonly report: Report;
    readonly machineId: MachineId;
    readonly outcome: RecordOutcome;
  },
) => {
  const { session, report, machineId, outcome } = answered;
  const { fact, sequence } = report;
  if (outcome.kind === 'missing-uploads') {
    session.stalledAt = sequence;
    if (fact.kind !== 'command-finished') throw new Error('only a finished command can lack uploads');
    send(session, {
      type: 'missing-uploads',
      sequence,
      actionId: fact.actionId,
      index: fact.index,
      streams: [...outcome.streams],
    });
    return;
  }
  session.stalledAt = null;
  send(session, { type: 'acknowledge', sequence });
  const stop = outcome.kind === 'recorded' ? outcome.stop : 'the server does not know this action';
  const goesOn = fact.kind === 'accepted' || fact.kind === 'command-started';
  if (stop !== null && goesOn) {
    send(session, {
      type: 'cancel',
      actionId: fact.actionId,
      reason: stop,
      ticket: io.tickets.issue(machineId, fact.actionId),
    });
  }
};

const onReport = async (io: OnFrameIo, session: Session, report: Report): Promise<void> => {
  const { machineId } = session;
  if (machineId === null) return refuse(session, { code: 'bad-turn', reason: 'expected a proof before any report' });
  if (session.stalledAt !== null && report.sequence > session.stalledAt) return;
  // before the record, since the record's hints may ask whether the device is free
  holdOrRelease(session, report.fact);
  answerReport(io, { session, report, machineId, outcome: await io.record(machineId, report.fact) });
};

/** What was asked for is bounded by whoever asked. */
const onOutput = (
  io: OnFrameIo,
  session: Session,
  output: { readonly machineId: MachineId; readonly frame: Output; readonly size: number },
): void => {
  if (io.onOutput(output.machineId, output.frame)) io.budgets.giveBack(session, output.size);
};

/** Said once; a second time it says nothing new. */
const onGenerationKept = async (io: OnFrameIo, session: Session): Promise<void> => {
  const { machineId, generation, phase } = session;
  if (phase !== 'connected' || machineId === null)
    return refuse(session, { code: 'bad-turn', reason: 'expected a proof before anything is kept' });
  session.generation = null;
  if (generation !== null) await io.generationKept(machineId, generation);
};

export const onFrame =
  (io: OnFrameIo): FrameHandler =>
  async (session, frame, size) => {
    switch (frame.type) {
      // whoever never proves itself would otherwise hold a connection for ever
      case 'heartbeat':
        return refuse(session, { code: 'bad-turn', reason: 'expected a proof before any heartbeat' });
      case 'prove':
        return session.phase === 'awaiting-proof'
          ? io.prove(session, frame)
          : refuse(session, { code: 'bad-turn', reason: 'expected one proof, got another' });
      case 'generation-kept':
        return onGenerationKept(io, session);
      case 'report':
        return session.phase === 'connected'
          ? onReport(io, session, frame)
          : refuse(session, { code: 'bad-turn', reason: 'expected a proof before any report' });
      case 'output':
        return session.phase === 'connected' && session.machineId !== null
          ? onOutput(io, session, { machineId: session.machineId, frame, size })
          : refuse(session, { code: 'bad-turn', reason: 'expected a proof before any output' });
    }
  };
