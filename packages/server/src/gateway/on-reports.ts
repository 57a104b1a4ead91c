/** Reports of a device: recorded in one unit, and then acknowledged by the last of them. */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { Fact, Report } from '@longarm/contract/wire/to-server';
import type { RecordOutcome } from '../actions/ports.ts';
import type { Recording } from '../actions/record-progress.ts';
import type { Tickets } from '../auth/ticket.ts';
import { readContents } from './read-contents.ts';
import { hold, refuse, release, type Session, send } from './session.ts';

export type ReportsIo = {
  readonly record: (recording: Recording) => Promise<void>;
  readonly tickets: Tickets;
};

/** Keeps in mind what the device holds, so that nothing is offered to it meanwhile. */
const holdOrRelease = (session: Session, fact: Fact) => {
  if (fact.kind === 'accepted') hold(session, fact.actionId);
  if (fact.kind === 'action-ended' || fact.kind === 'refused') release(session, fact.actionId);
};

const sayMissing = (
  session: Session,
  { fact, sequence }: Report,
  streams: Extract<RecordOutcome, { kind: 'missing-uploads' }>['streams'],
) => {
  if (fact.kind !== 'command-finished') throw new Error('only a finished command can lack uploads');
  const { actionId, index } = fact;
  session.stalledAt = sequence;
  send(session, { type: 'missing-uploads', sequence, actionId, index, streams: [...streams] });
};

const stopOf = (fact: Fact, outcome: RecordOutcome): string | null => {
  if (fact.kind !== 'accepted' && fact.kind !== 'command-started') return null;
  return outcome.kind === 'recorded' ? outcome.stop : 'the server does not know this action';
};

/** One acknowledgement covers all before it; then what has to be stopped, and what is missed. */
const answer = (
  io: ReportsIo,
  session: Session,
  answered: {
    readonly machineId: MachineId;
    readonly reports: readonly Report[];
    readonly outcomes: readonly RecordOutcome[];
  },
) => {
  const { machineId, reports, outcomes } = answered;
  const stops = new Map<ActionId, string>();
  let durable: number | null = null;
  for (const [place, outcome] of outcomes.entries()) {
    const report = reports[place];
    if (report === undefined || outcome.kind === 'missing-uploads') break;
    durable = report.sequence;
    const stop = stopOf(report.fact, outcome);
    if (stop !== null) stops.set(report.fact.actionId, stop);
  }
  if (durable !== null) {
    session.stalledAt = null;
    send(session, { type: 'acknowledge', sequence: durable });
  }
  for (const [actionId, reason] of stops)
    send(session, { type: 'cancel', actionId, reason, ticket: io.tickets.issue(machineId, actionId) });
  const last = outcomes.at(-1);
  const missed = reports[outcomes.length - 1];
  if (last?.kind === 'missing-uploads' && missed !== undefined) sayMissing(session, missed, last.streams);
};

/** What came before the missed report came again is told once more after it; what comes with it is not. */
const sinceMissed = (told: readonly Report[], stalledAt: number): readonly Report[] => {
  const first = told.findIndex(({ sequence }) => sequence <= stalledAt);
  return first === -1 ? [] : told.slice(first);
};

export const onReports =
  (io: ReportsIo) =>
  async (session: Session, told: readonly Report[]): Promise<void> => {
    const { machineId, phase, stalledAt } = session;
    if (phase !== 'connected' || machineId === null)
      return refuse(session, { code: 'bad-turn', reason: 'expected a proof before any report' });
    const reports = stalledAt === null ? told : sinceMissed(told, stalledAt);
    if (reports.length === 0) return;
    await io.record({
      machineId,
      reports: reports.map((report) => ({
        fact: report.fact,
        contents: readContents(report),
        ...(report.steps === undefined ? {} : { steps: report.steps }),
      })),
      onRecorded: (outcomes) => {
        // before the hints of it, which may ask whether the device is free
        for (const [place, { fact }] of reports.entries()) {
          const outcome = outcomes[place];
          if (outcome !== undefined) holdOrRelease(session, fact);
        }
        answer(io, session, { machineId, reports, outcomes });
      },
    });
  };
