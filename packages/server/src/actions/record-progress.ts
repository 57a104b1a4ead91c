/** A device's facts become rows; who watches and who waits gets a hint. */
import type { MachineId } from '@longarm/contract/ids';
import type { Fact } from '@longarm/contract/wire/to-server';
import type { ActionStore, Clock, Hints, RecordOutcome, Reported, TransferProgress } from './ports.ts';

type RecordIo = {
  readonly actions: Pick<ActionStore, 'record'>;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged' | 'sessionEnded'>;
  readonly transfers: Pick<TransferProgress, 'forget'>;
  readonly clock: Clock;
};

/** Facts after which a session may be over, and its slot and machine free. */
const ENDING: ReadonlySet<Fact['kind']> = new Set(['refused', 'command-finished', 'action-ended']);

/** What a device reported together; `onRecorded` hears how each was judged after it is durable and before anybody gets a hint of it. */
export type Recording = {
  readonly machineId: MachineId;
  readonly reports: readonly Reported[];
  readonly onRecorded: (outcomes: readonly RecordOutcome[]) => void;
};

export const recordProgress =
  (io: RecordIo) =>
  async ({ machineId, reports, onRecorded }: Recording): Promise<void> => {
    for (const { fact } of reports)
      if (fact.kind === 'command-finished' || fact.kind === 'action-ended') io.transfers.forget(fact.actionId);
    const outcomes = await io.actions.record({ machineId, reports, now: io.clock.now() });
    onRecorded(outcomes);
    const recorded = reports.flatMap(({ fact }, place) => {
      const outcome = outcomes[place];
      return outcome?.kind === 'recorded' ? [{ fact, outcome }] : [];
    });
    const changed = recorded.filter(({ outcome }) => outcome.changed);
    for (const actionId of new Set(changed.map(({ fact }) => fact.actionId))) io.hints.actionChanged(actionId);
    const ending = recorded.filter(({ fact }) => ENDING.has(fact.kind));
    if (ending.some(({ outcome }) => outcome.isAwaited)) io.hints.wake(machineId);
    if (ending.length > 0) io.hints.sessionEnded();
  };
