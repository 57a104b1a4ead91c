/**
 * The device's memory: what it was told to do, how far it got, and what it owes the server. One log for both, since
 * the facts that it must not forget are the reports that are due: one sync makes a fact known and owed.
 */
import type { ActionId } from '@longarm/contract/ids';
import type { DeviceStep, Fact } from '@longarm/contract/wire/to-server';
import type { DiskReserve } from '../platform/disk-reserve.ts';
import { faultText, requireSystemFault } from '../platform/fault.ts';
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
  /** What its parts took, where that was asked for. */
  readonly steps?: readonly DeviceStep[];
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
  /**
   * Facts that became true together: durable, and owed to the server, when this returns. Where the disk refuses, they
   * are owed all the same, and written with the next record that it takes.
   */
  readonly report: (...facts: readonly NewFact[]) => void;
  /**
   * A command is about to be started, the last of these facts. Throws when the disk refuses: what is not written is not started,
   * and none of them is owed.
   */
  readonly start: (...facts: readonly NewFact[]) => void;
  /**
   * An action is taken on, with its `accepted`, and with the start of its first command where it is begun at once: one record.
   * Throws when the disk refuses: it is not taken on.
   */
  readonly take: (offered: Offered, ...facts: readonly Fact[]) => void;
  /** Why no action should be taken on now: the disk has no room for its story. Null when it has. */
  readonly lack: () => string | null;
  readonly amend: (report: OwedReport) => void;
  readonly note: (note: Note) => void;
  /** Calls back when a further report is owed. One listener. */
  readonly onOwed: (listener: () => void) => void;
  readonly close: () => void;
};

/** Told when the disk begins to refuse, with its reason, and when everything is written again, with null. */
export type OnDisk = (fault: string | null) => void;

export type OpenedJournal = { readonly journal: Journal; readonly droppedBytes: number };

/** A whole record, written by another version of the agent. */
export class UnknownRecord extends Error {
  override readonly name = 'UnknownRecord';
}

const entriesIn = (payload: string, place: number): readonly Entry[] => {
  const read = JournalRecord.safeParse(JSON.parse(payload));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UnknownRecord(
    `expected records that this agent understands, got another one as number ${place + 1} (${issue?.path.join('.')}: ${issue?.message}). Another version of the agent wrote it: install that one again, or a newer one.`,
  );
};

const replay = (payloads: readonly string[]): JournalState => {
  const state = emptyState();
  for (const [place, payload] of payloads.entries())
    for (const entry of entriesIn(payload, place)) applyEntry(state, entry);
  return state;
};

type Recorder = {
  /** Throws when the disk refuses, and then nothing has changed. */
  readonly strictly: (entries: readonly Entry[], durable: boolean) => void;
  /** The state changes whatever the disk says. */
  readonly anyway: (entries: readonly Entry[], durable: boolean) => void;
};

type RecorderIo = { readonly file: LogFile; readonly reserve: DiskReserve; readonly onDisk: OnDisk };

/** Rewrites the log when it has grown; a disk without room for that leaves it as it is, for a while. */
const compactor = ({ file }: RecorderIo, state: JournalState) => {
  let compactAt = 0;
  const compact = () => {
    const snapshot = snapshotOf(state);
    file.restart(JSON.stringify([{ kind: 'snapshot', snapshot }] satisfies Entry[]));
    applyEntry(state, { kind: 'snapshot', snapshot });
  };
  const compactWhenLong = () => {
    if (file.sizeBytes() < compactAt) return;
    try {
      compact();
    } catch (fault) {
      requireSystemFault(fault);
    }
    compactAt = Math.max(COMPACT_BYTES, 2 * file.sizeBytes());
  };
  return { compact, compactWhenLong };
};

/** Entries go to the disk first and into the state after that. */
const recorder = (io: RecorderIo, state: JournalState): Recorder => {
  const { file, reserve, onDisk } = io;
  const { compact, compactWhenLong } = compactor(io, state);
  let isBehind = false;
  compactWhenLong();
  const append = (text: string, durable: boolean) => {
    try {
      file.append(text, durable);
    } catch (fault) {
      if (!reserve.letGo()) throw fault;
      file.append(text, durable);
    }
  };
  const catchUp = () => {
    if (!isBehind) return;
    compact();
    isBehind = false;
    onDisk(null);
  };
  const strictly: Recorder['strictly'] = (entries, durable) => {
    catchUp();
    append(JSON.stringify(entries), durable);
    for (const entry of entries) applyEntry(state, entry);
    compactWhenLong();
  };
  return {
    strictly,
    anyway: (entries, durable) => {
      try {
        strictly(entries, durable);
      } catch (fault) {
        requireSystemFault(fault);
        if (!isBehind) onDisk(faultText(fault));
        isBehind = true;
        for (const entry of entries) applyEntry(state, entry);
      }
    },
  };
};

const factEntry = (state: JournalState, offset: number, { fact, sources, uploaded, steps = [] }: NewFact): Entry => ({
  kind: 'fact',
  report: {
    sequence: state.nextSequence + offset,
    fact,
    sources: [...(sources ?? [])],
    uploaded: [...(uploaded ?? [])],
    ...(steps.length === 0 ? {} : { steps: [...steps] }),
  },
});

/** Without room held for it, a full disk is met at once. */
const NO_RESERVE: DiskReserve = { take: () => null, letGo: () => false };

/**
 * Opens the journal on this disk and compacts it. A torn end is dropped and its length told. Throws
 * UnknownRecord for one that it does not understand, and leaves the log as it is.
 */
export const openJournal = (
  disk: LogDisk,
  { reserve = NO_RESERVE, onDisk = () => {} }: { readonly reserve?: DiskReserve; readonly onDisk?: OnDisk } = {},
): OpenedJournal => {
  const { file, payloads, droppedBytes } = openLogFile(disk);
  const state = replay(payloads);
  reserve.take();
  const record = recorder({ file, reserve, onDisk }, state);
  let listener = () => {};
  const entriesOf = (facts: readonly NewFact[]) => facts.map((fact, offset) => factEntry(state, offset, fact));
  const journal: Journal = {
    action: (actionId) => state.actions.get(actionId) ?? null,
    actions: () => [...state.actions.values()],
    unreported: () => unreportedActions(state),
    nextOwed: (after) => state.owed.values().find((report) => report.sequence > after) ?? null,
    owed: () => [...state.owed.values()],
    lastCounter: () => state.lastCounter,
    serverTime: () => state.serverTime,
    report: (...facts) => {
      record.anyway(entriesOf(facts), true);
      listener();
    },
    start: (...facts) => {
      record.strictly(entriesOf(facts), true);
      listener();
    },
    take: (offered, ...facts) => {
      record.strictly([{ kind: 'offered', ...offered }, ...entriesOf(facts.map((fact) => ({ fact })))], true);
      listener();
    },
    lack: reserve.take,
    amend: (report) => record.anyway([{ kind: 'amended', report }], true),
    note: (note) => record.anyway([note], false),
    onOwed: (next) => {
      listener = next;
    },
    close: file.close,
  };
  return { journal, droppedBytes };
};
