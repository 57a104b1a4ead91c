/** How far transfers are, in this process's memory; whoever watches the action hears of it now and then. */
import type { ActionId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { Hints, TransferProgress, Transferred } from '../actions/ports.ts';

/** Between two hints for one action: people read no faster, and each costs its watchers a read. */
const HINT_MS = 250;
/** Actions remembered: those whose end nobody told go when others come. */
const ACTIONS = 10_000;

type Live = { readonly byIndex: Map<number, Transferred>; hintedAt: EpochMs };

export const transferProgress = (io: {
  readonly hints: Pick<Hints, 'actionChanged'>;
  readonly now: () => EpochMs;
}): TransferProgress => {
  const live = new Map<ActionId, Live>();
  const liveOf = (actionId: ActionId): Live => {
    const known = live.get(actionId) ?? { byIndex: new Map<number, Transferred>(), hintedAt: 0 };
    live.delete(actionId);
    live.set(actionId, known);
    const [oldest] = live.keys();
    if (live.size > ACTIONS && oldest !== undefined) live.delete(oldest);
    return known;
  };
  return {
    note: ({ actionId, index }, transferred) => {
      const action = liveOf(actionId);
      action.byIndex.set(index, transferred);
      const now = io.now();
      if (now - action.hintedAt < HINT_MS) return;
      action.hintedAt = now;
      io.hints.actionChanged(actionId);
    },
    of: (actionId) => live.get(actionId)?.byIndex ?? new Map(),
    forget: (actionId) => void live.delete(actionId),
  };
};
