/** A device's fact becomes rows; who watches and who waits gets a hint. */
import type { MachineId } from '@longarm/contract/ids';
import type { Fact } from '@longarm/contract/wire/to-server';
import type { ActionStore, Clock, Hints, RecordOutcome, TransferProgress } from './ports.ts';

type RecordIo = {
  readonly actions: Pick<ActionStore, 'record'>;
  readonly hints: Pick<Hints, 'wake' | 'actionChanged' | 'sessionEnded'>;
  readonly transfers: Pick<TransferProgress, 'forget'>;
  readonly clock: Clock;
};

/** Facts after which a session may be over, and its slot and machine free. */
const ENDING: ReadonlySet<Fact['kind']> = new Set(['refused', 'command-finished', 'action-ended']);

export const recordProgress =
  (io: RecordIo) =>
  async (machineId: MachineId, fact: Fact): Promise<RecordOutcome> => {
    if (fact.kind === 'command-finished' || fact.kind === 'action-ended') io.transfers.forget(fact.actionId);
    const outcome = await io.actions.record({ machineId, fact, now: io.clock.now() });
    if (outcome.kind === 'recorded' && outcome.changed) io.hints.actionChanged(fact.actionId);
    if (outcome.kind === 'recorded' && ENDING.has(fact.kind)) {
      io.hints.wake(machineId);
      io.hints.sessionEnded();
    }
    return outcome;
  };
