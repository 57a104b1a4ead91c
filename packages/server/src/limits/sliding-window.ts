/**
 * Calls within a sliding window, per key, in memory: a restart forgets them, as semantics 20 allows for one process.
 * The published stores of rate-limiter-flexible count in fixed windows, which let twice the rate through at the edge.
 */
import type { EpochMs } from '@longarm/contract/instant';

export type Window = { readonly calls: number; readonly milliseconds: number };

export type Taken =
  | {
      readonly ok: true /** Gives the call back: refused calls with 429 do not count. */;
      readonly giveBack: () => void;
    }
  | { readonly ok: false; readonly retryAfterMs: number };

export type SlidingWindows = {
  /** Counts one call against every window of the key, or none when one of them is full. */
  readonly take: (key: string, windows: readonly Window[], now: EpochMs) => Taken;
  /** Forgets keys that have made no call for the longest window; to be called now and then. */
  readonly forget: (now: EpochMs) => void;
};

/** When the next call fits into the window, given the moments of earlier ones in order; 0 when it fits now. */
const waitFor = (calls: readonly EpochMs[], window: Window, now: EpochMs): number => {
  const blocking = calls[calls.length - Math.floor(window.calls)];
  return blocking === undefined ? 0 : Math.max(0, blocking + window.milliseconds - now);
};

export const slidingWindows = (longestMs: number): SlidingWindows => {
  const callsOf = new Map<string, EpochMs[]>();
  return {
    take: (key, windows, now) => {
      const recent = (callsOf.get(key) ?? []).filter((at) => at > now - longestMs);
      const retryAfterMs = Math.max(
        0,
        ...windows.map((window) => (window.calls < 1 ? window.milliseconds : waitFor(recent, window, now))),
      );
      if (retryAfterMs > 0) {
        callsOf.set(key, recent);
        return { ok: false, retryAfterMs };
      }
      recent.push(now);
      callsOf.set(key, recent);
      return {
        ok: true,
        giveBack: () => {
          const place = callsOf.get(key)?.lastIndexOf(now) ?? -1;
          if (place >= 0) callsOf.get(key)?.splice(place, 1);
        },
      };
    },
    forget: (now) => {
      for (const [key, calls] of callsOf) {
        if ((calls.at(-1) ?? 0) <= now - longestMs) callsOf.delete(key);
      }
    },
  };
};
