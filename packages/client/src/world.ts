/** What the client takes from outside instead of reaching for it: time, timers and randomness. */
import type { EpochMs } from '@longarm/contract/instant';

export type ClientWorld = {
  readonly now: () => EpochMs;
  /** Calls `wake` once, after `delayMs` milliseconds, unless the returned function was called before. */
  readonly after: (delayMs: number, wake: () => void) => () => void;
  /** A text that nobody can foresee, of letters, digits and dashes. */
  readonly randomId: () => string;
};

/** Waits `delayMs` milliseconds; rejects with the signal's reason as soon as it is aborted. */
export const pause = (world: ClientWorld, delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = world.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
