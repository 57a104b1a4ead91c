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

/** Moments of calls in order. Those before `first` are over, and go when they are half of all: no call costs more than the last. */
type Calls = { readonly at: EpochMs[]; first: number };

/** When the next call fits into the window; 0 when it fits now. */
const waitFor = ({ at, first }: Calls, window: Window, now: EpochMs): number => {
  const place = at.length - Math.floor(window.calls);
  const blocking = place < first ? undefined : at[place];
  return blocking === undefined ? 0 : Math.max(0, blocking + window.milliseconds - now);
};

/** Leaves behind what is in none of the windows any more. */
const leaveBehind = (calls: Calls, windows: readonly Window[], now: EpochMs): void => {
  const longestMs = Math.max(0, ...windows.map(({ milliseconds }) => milliseconds));
  while (calls.first < calls.at.length && (calls.at[calls.first] ?? 0) <= now - longestMs) calls.first++;
  if (calls.first * 2 <= calls.at.length) return;
  calls.at.splice(0, calls.first);
  calls.first = 0;
};

const giveBack = ({ at, first }: Calls, now: EpochMs): void => {
  const place = at.lastIndexOf(now);
  if (place >= first) at.splice(place, 1);
};

export const slidingWindows = (longestMs: number): SlidingWindows => {
  const callsOf = new Map<string, Calls>();
  return {
    take: (key, windows, now) => {
      const calls = callsOf.get(key) ?? { at: [], first: 0 };
      callsOf.set(key, calls);
      leaveBehind(calls, windows, now);
      const retryAfterMs = Math.max(
        0,
        ...windows.map((window) => (window.calls < 1 ? window.milliseconds : waitFor(calls, window, now))),
      );
      if (retryAfterMs > 0) return { ok: false, retryAfterMs };
      calls.at.push(now);
      return { ok: true, giveBack: () => giveBack(calls, now) };
    },
    forget: (now) => {
      for (const [key, { at }] of callsOf) {
        if ((at.at(-1) ?? 0) <= now - longestMs) callsOf.delete(key);
      }
    },
  };
};
