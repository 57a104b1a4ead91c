/** What each entry changes: the journal's state is the replay of its entries, and nothing else. */
import type { ActionId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Fact } from '@longarm/contract/wire/to-server';
import type { ActionRecord, Entry, EnvelopeCounter, OwedReport, Snapshot } from './entries.ts';

export type JournalState = {
  nextSequence: number;
  lastCounter: EnvelopeCounter;
  serverTime: EpochMs | null;
  /** In the order in which they were first heard of. */
  readonly actions: Map<ActionId, ActionRecord>;
  /** By sequence, rising. */
  readonly owed: Map<number, OwedReport>;
};

/**
 * How long the id of an action is kept whose envelope was never believed, so that its expiry is not known. Longer
 * than the queue time that a server would reasonably be given.
 */
const STRANGER_MS = 30 * 86_400_000;

export const emptyState = (): JournalState => ({
  nextSequence: 1,
  lastCounter: { epoch: 0, counter: 0 },
  serverTime: null,
  actions: new Map(),
  owed: new Map(),
});

const stranger = (actionId: ActionId, at: EpochMs): ActionRecord => ({
  actionId,
  payload: null,
  bootId: '',
  ticket: null,
  next: 0,
  isStarted: false,
  hasFailed: false,
  process: null,
  isCancelled: false,
  ended: null,
  keepUntil: at + STRANGER_MS,
});

const progressOf = (fact: Fact): Partial<ActionRecord> => {
  switch (fact.kind) {
    case 'accepted':
      return {};
    case 'refused':
      return { ended: 'refused', payload: null };
    case 'command-started':
      return { next: fact.index, isStarted: true };
    case 'command-finished':
      return { next: fact.index + 1, isStarted: false, hasFailed: fact.outcome === 'Failed', process: null };
    case 'cancel-heard':
      return { isCancelled: true };
    case 'action-ended':
      return { ended: fact.how, payload: null, process: null };
  }
};

const change = (state: JournalState, actionId: ActionId, changes: Partial<ActionRecord>): void => {
  const known = state.actions.get(actionId);
  if (known !== undefined) state.actions.set(actionId, { ...known, ...changes });
};

const applyFact = (state: JournalState, report: OwedReport): void => {
  const { fact, sequence } = report;
  state.owed.set(sequence, report);
  state.nextSequence = Math.max(state.nextSequence, sequence + 1);
  state.serverTime = Math.max(state.serverTime ?? 0, fact.at);
  if (!state.actions.has(fact.actionId)) state.actions.set(fact.actionId, stranger(fact.actionId, fact.at));
  change(state, fact.actionId, progressOf(fact));
};

const applyOffer = (state: JournalState, entry: Extract<Entry, { kind: 'offered' }>): void => {
  const { payload, ticket, bootId } = entry;
  const { actionId, epoch, counter } = payload;
  state.actions.set(actionId, { ...stranger(actionId, 0), payload, ticket, bootId, keepUntil: payload.expiresAt });
  state.lastCounter = { epoch, counter };
};

const changeOwed = (state: JournalState, sequence: number, change: (report: OwedReport) => OwedReport): void => {
  const report = state.owed.get(sequence);
  if (report !== undefined) state.owed.set(sequence, change(report));
};

const applySnapshot = (state: JournalState, snapshot: Snapshot): void => {
  state.nextSequence = snapshot.nextSequence;
  state.lastCounter = snapshot.lastCounter;
  state.serverTime = snapshot.serverTime;
  state.actions.clear();
  state.owed.clear();
  for (const action of snapshot.actions) state.actions.set(action.actionId, action);
  for (const report of snapshot.owed) state.owed.set(report.sequence, report);
};

const markUploaded = (state: JournalState, { sequence, stream }: Extract<Entry, { kind: 'uploaded' }>): void =>
  changeOwed(state, sequence, (report) => ({ ...report, uploaded: [...report.uploaded, stream] }));

const markMissing = (state: JournalState, { sequence, streams }: Extract<Entry, { kind: 'missing' }>): void =>
  changeOwed(state, sequence, (report) => ({
    ...report,
    uploaded: report.uploaded.filter((stream) => !streams.includes(stream)),
  }));

const forgetUpTo = (state: JournalState, acknowledged: number): void => {
  for (const sequence of state.owed.keys()) if (sequence <= acknowledged) state.owed.delete(sequence);
};

type Apply<Kind extends Entry['kind']> = (state: JournalState, entry: Extract<Entry, { kind: Kind }>) => void;

const APPLY: { readonly [Kind in Entry['kind']]: Apply<Kind> } = {
  snapshot: (state, { snapshot }) => applySnapshot(state, snapshot),
  offered: applyOffer,
  fact: (state, { report }) => applyFact(state, report),
  amended: (state, { report }) => changeOwed(state, report.sequence, () => report),
  process: (state, entry) => change(state, entry.actionId, { process: entry.process }),
  uploaded: markUploaded,
  missing: markMissing,
  acknowledged: (state, { sequence }) => forgetUpTo(state, sequence),
  ticket: (state, { actionId, ticket }) => change(state, actionId, { ticket }),
  'server-time': (state, { at }) => {
    state.serverTime = Math.max(state.serverTime ?? 0, at);
  },
};

/** Changes the state by one entry. Entries about what is not known any more change nothing. */
export const applyEntry = (state: JournalState, entry: Entry): void => {
  // the entry's kind picks the function of that kind, which the compiler cannot see by itself
  const apply = APPLY[entry.kind] as (state: JournalState, entry: Entry) => void;
  apply(state, entry);
};
