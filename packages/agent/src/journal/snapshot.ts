/** What compaction keeps: everything that is owed or not ended, and ids for as long as they may be offered again. */
import type { ActionId } from '@longarm/contract/ids';
import type { JournalState } from './apply-entry.ts';
import type { Snapshot } from './entries.ts';

/** Ended actions whose ids are kept at most; the newest stay. A bound for a server that floods the device. */
const ENDED_IDS = 10_000;

/** Ids of actions that have not ended, or of which something is owed, in the order in which they were heard of. */
export const unreportedActions = (state: JournalState): readonly ActionId[] => {
  const owing = new Set([...state.owed.values()].map(({ fact }) => fact.actionId));
  return [...state.actions.values()]
    .filter((action) => action.ended === null || owing.has(action.actionId))
    .map((action) => action.actionId);
};

/** The state without what nobody will ask for again. */
export const snapshotOf = (state: JournalState): Snapshot => {
  const unreported = new Set(unreportedActions(state));
  const now = state.serverTime ?? 0;
  const remembered = [...state.actions.values()].filter(
    (action) => !unreported.has(action.actionId) && action.keepUntil > now,
  );
  const forgotten = new Set(remembered.slice(0, Math.max(0, remembered.length - ENDED_IDS)));
  const kept = new Set(remembered.filter((action) => !forgotten.has(action)));
  return {
    nextSequence: state.nextSequence,
    lastCounter: state.lastCounter,
    serverTime: state.serverTime,
    actions: [...state.actions.values()].filter((action) => unreported.has(action.actionId) || kept.has(action)),
    owed: [...state.owed.values()],
  };
};
