/** Calls a minute and an hour, per caller and endpoint (semantics 20). Throws TooManyRequests with Retry-After. */
import { Refusal } from '@longarm/contract/errors';
import type { EpochMs } from '@longarm/contract/instant';
import type { Limits } from '@longarm/contract/limits';
import type { RateClass } from '@longarm/contract/rest/endpoint';
import { type SlidingWindows, slidingWindows, type Window } from './sliding-window.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export type CallRate = {
  /** Counts the call; the answer gives it back. */
  readonly count: (call: {
    readonly subject: string;
    readonly endpoint: string;
    readonly rate: RateClass;
  }) => () => void;
  readonly forget: () => void;
};

const windowsOf = (limits: Limits): Readonly<Record<RateClass, readonly Window[]>> => ({
  run: [{ calls: limits['runs-per-minute'], milliseconds: MINUTE_MS }],
  read: [
    { calls: limits['reads-per-minute'], milliseconds: MINUTE_MS },
    { calls: limits['reads-per-hour'], milliseconds: HOUR_MS },
  ],
  none: [],
});

export const callRate = (io: {
  readonly limits: Limits;
  readonly now: () => EpochMs;
  readonly windows?: SlidingWindows;
}): CallRate => {
  const windows = io.windows ?? slidingWindows(HOUR_MS);
  const bounds = windowsOf(io.limits);
  return {
    count: ({ subject, endpoint, rate }) => {
      if (rate === 'none') return () => undefined;
      const taken = windows.take(`${subject} ${endpoint}`, bounds[rate], io.now());
      if (taken.ok) return taken.giveBack;
      const retryAfterSeconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1_000));
      throw new Refusal(
        'TooManyRequests',
        `Too many requests: ${bounds[rate].map((window) => `${window.calls} in ${window.milliseconds / 1_000} s`).join(' and ')} are allowed. Try again in ${retryAfterSeconds} s.`,
        {
          retryAfterSeconds,
        },
      );
    },
    forget: () => windows.forget(io.now()),
  };
};
