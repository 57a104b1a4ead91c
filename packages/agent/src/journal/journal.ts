/**
 * The device's memory: what it was told to do, how far it got, and what it owes the server. One log for both, since
 * the facts that it must not forget are the reports that are due: one sync makes a fact known and owed.
 */
import type { ActionId } from '@longarm/contract/ids';
import type { Fact } from '@longarm/contract/wire/to-server';
import type { LogDisk } from '../platform/log-disk.ts';
import { applyEntry, emptyState, type JournalState } from './apply-entry.ts';
import { type ActionRecord, type Entry, JournalRecord, type OwedReport, type ResultSource } from './entries.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import { snapshotOf, unreportedActions } from './snapshot.ts';

/** The log is rewritten when it is longer than this and than twice what the last rewrite left. */
const COMPACT_BYTES = 1_048_576;

/** A fact that has just become true, and where the bytes of its results are. */
export type NewFact = {
  readonly fact: Fact;
  readonly sources?: readonly ResultSource[];
  /** Streams that the server has already. */
  readonly uploaded?: OwedReport['uploaded'];
};

type Offered = Omit<Extract<Entry, { kind: 'offered' }>, 'kind'>;
/** Entries that may be lost in a power cut, since the server tells them again or a restart makes them void. */
type Note = Extract<Entry, { kind: 'process' | 'uploaded' | 'missing' | 'acknowledged' | 'ticket' | 'server-time' }>;

export type Journal = {
  readonly action: (actionId: ActionId) => ActionRecord | null;
  /** All that is known of actions, in the order in which they were first heard of. */
  readonly actions: () => readonly ActionRecord[];
  readonly unreported: () => readonly ActionId[];
  /** The owed report with the lowest sequence above `after`, or null. */
  readonly nextOwed: (after: number) => OwedReport | null;
  readonly owed: () => readonly OwedReport[];
  readonly lastCounter: () => JournalState['lastCounter'];
  readonly serverTime: () => number | null;
  /** Facts that become true together: durable, and owed to the server, when this returns. Throws when the disk refuses. */
  readonly report: (...facts: readonly NewFact[]) => void;
  /** An action is taken on: with its `accepted` in the same record. */
  readonly take: (offered: Offered, accepted: Fact) => void;
  readonly amend: (report: OwedReport) => void;
  readonly note: (note: Note) => void;
  /** Calls back when a further report is owed. One listener. */
  readonly onOwed: (listener: () => void) => void;
  readonly close: () => void;
};

export type OpenedJournal = { readonly journal: Journal; readonly droppedBytes: number };

const replay = (payloads: readonly string[]): JournalState => {
  const state = emptyState();
  for (const payload of payloads)
    for (const entry of JournalRecord.parse(JSON.parse(payload))) applyEntry(state, entry);
  return state;
};

/** Entries go to the disk first and into the state after that; a log that has grown is rewritten. */
const recorder = (file: LogFile, state: JournalState) => {
  const compact = () => {
    const snapshot = snapshotOf(state);
    file.restart(JSON.stringify([{ kind: 'snapshot', snapshot }] satisfies Entry[]));
    applyEntry(state, { kind: 'snapshot', snapshot });
    return Math.max(COMPACT_BYTES, 2 * file.sizeBytes());
  };
  let compactAt = compact();
  return (entries: readonly Entry[], durable: boolean) => {
    file.append(JSON.stringify(entries), durable);
    for (const entry of entries) applyEntry(state, entry);
    if (file.sizeBytes() > compactAt) compactAt = compact();
  };
};

const factEntry = (state: JournalState, offset: number, { fact, sources, uploaded }: NewFact): Entry => ({
  kind: 'fact',
  report: {
    sequence: state.nextSequence + offset,
    fact,
    sources: [...(sources ?? [])],
    uploaded: [...(uploaded ?? [])],
  },
});

/**
 * Opens the journal on this disk and compacts it. A torn end is dropped and its length told. Throws
 * when a whole record cannot be understood: it was written by another version.
 */
export const openJournal = (disk: LogDisk): OpenedJournal => {
  const { file, payloads, droppedBytes } = openLogFile(disk);
  const state = replay(payloads);
  const record = recorder(file, state);
  let listener = () => {};
  const journal: Journal = {
    action: (actionId) => state.actions.get(actionId) ?? null,
    actions: () => [...state.actions.values()],
    unreported: () => unreportedActions(state),
    nextOwed: (after) => state.owed.values().find((report) => report.sequence > after) ?? null,
    owed: () => [...state.owed.values()],
    lastCounter: () => state.lastCounter,
    serverTime: () => state.serverTime,
    report: (...facts) => {
      record(
        facts.map((fact, offset) => factEntry(state, offset, fact)),
        true,
      );
      listener();
    },
    take: (offered, accepted) => {
      record([{ kind: 'offered', ...offered }, factEntry(state, 0, { fact: accepted })], true);
      listener();
    },
    amend: (report) => record([{ kind: 'amended', report }], true),
    note: (note) => record([note], false),
    onOwed: (next) => {
      listener = next;
    },
    close: file.close,
  };
  return { journal, droppedBytes };
};
