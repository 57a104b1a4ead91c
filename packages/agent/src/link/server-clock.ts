/**
 * Server time on a device whose own clock may be wrong by hours (semantics 31): learned from the server's frames,
 * carried by a clock that nobody can set.
 */
import type { EpochMs } from '@longarm/contract/instant';

export type ServerClock = {
  readonly now: () => EpochMs;
  readonly learn: (serverTime: EpochMs) => void;
};

/** `first`: what to go by before the server has said anything. `monotonic`: milliseconds since whenever. */
export const serverClock = (monotonic: () => number, first: EpochMs): ServerClock => {
  let offset = first - monotonic();
  return {
    now: () => Math.round(monotonic() + offset),
    learn: (serverTime) => {
      offset = serverTime - monotonic();
    },
  };
};
