/** Hints within one process. Everything works without them, later. */
import type { ActionId, MachineId } from '@longarm/contract/ids';
import type { Hints } from '../actions/ports.ts';

export type LocalBus = Hints & {
  /** Who hears `wake` and `sessionEnded`: one listener, the dispatcher. */
  readonly connect: (engine: {
    readonly wake: (machineId: MachineId) => void;
    readonly sessionEnded: () => void;
  }) => void;
};

export const localBus = (): LocalBus => {
  const watchers = new Map<ActionId, Set<() => void>>();
  let engine: Parameters<LocalBus['connect']>[0] | null = null;
  return {
    connect: (listener) => {
      engine = listener;
    },
    wake: (machineId) => engine?.wake(machineId),
    sessionEnded: () => engine?.sessionEnded(),
    actionChanged: (actionId) => {
      for (const listener of watchers.get(actionId) ?? []) listener();
    },
    onActionChanged: (actionId, listener) => {
      const known = watchers.get(actionId) ?? new Set();
      watchers.set(actionId, known.add(listener));
      return () => {
        known.delete(listener);
        if (known.size === 0 && watchers.get(actionId) === known) watchers.delete(actionId);
      };
    },
  };
};
