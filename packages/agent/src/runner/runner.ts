/** One action at a time, first in, first out. */
import type { ActionId } from '@longarm/contract/ids';
import { type Control, runAction } from './run-action.ts';
import type { RunnerIo } from './runner-io.ts';

export type Runner = {
  /** What begins now runs at once. */
  readonly isIdle: () => boolean;
  /** The action is in the journal and waits for its turn. */
  readonly begin: (actionId: ActionId) => void;
  /** True when it runs now: it is being stopped, and reports its end itself. False: it waited, and is forgotten. */
  readonly cancel: (actionId: ActionId) => boolean;
  /** Stops what runs, for the agent itself stops; resolves when nothing runs any more. */
  readonly stop: () => Promise<void>;
};

type Controlled = Control & { readonly stop: (reason: 'cancelled' | 'agent-stops') => void };

const control = (): Controlled => {
  const controller = new AbortController();
  let reason: 'cancelled' | 'agent-stops' | null = null;
  return {
    signal: controller.signal,
    reason: () => reason,
    stop: (why) => {
      reason ??= why;
      controller.abort();
    },
  };
};

/** `onFault` hears of what an action could not even record: the agent cannot go on then. */
export const runner = (io: RunnerIo, onFault: (fault: unknown) => void): Runner => {
  const waiting: ActionId[] = [];
  let current: { readonly actionId: ActionId; readonly control: Controlled } | null = null;
  let working: Promise<void> | null = null;
  let isStopping = false;

  const work = async (): Promise<void> => {
    for (let actionId = waiting.shift(); actionId !== undefined && !isStopping; actionId = waiting.shift()) {
      const controlled = control();
      current = { actionId, control: controlled };
      await runAction(io, actionId, controlled);
      current = null;
    }
  };

  const start = (): void => {
    working ??= work()
      .catch(onFault)
      .finally(() => {
        working = null;
        // one that came between the last look and now
        if (waiting.length > 0 && !isStopping) start();
      });
  };

  return {
    isIdle: () => working === null && !isStopping,
    begin: (actionId) => {
      waiting.push(actionId);
      start();
    },
    cancel: (actionId) => {
      if (current?.actionId === actionId) {
        current.control.stop('cancelled');
        return true;
      }
      const place = waiting.indexOf(actionId);
      if (place >= 0) waiting.splice(place, 1);
      io.memo.forget(actionId);
      return false;
    },
    stop: async () => {
      isStopping = true;
      current?.control.stop('agent-stops');
      await working;
    },
  };
};
