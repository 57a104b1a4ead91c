/**
 * So many a second and no more, evenly: what comes too fast gets its turn later, and what would wait for too long is told
 * when to come back, each at a moment of its own, so that a herd that was sent away does not return as one. The generic
 * cell rate algorithm (ITU-T I.371), with a queue in front of it.
 */
import type { EpochMs } from '@longarm/contract/instant';

export type Turn =
  | { readonly ok: true; readonly waitMs: number }
  | { readonly ok: false; readonly retryAfterSeconds: number };

export type Pace = { readonly turn: () => Turn };

export type PaceTerms = {
  readonly perSecond: number;
  /** May come at once after a quiet time; one at least. */
  readonly burst: number;
  readonly maxWaitMs: number;
  readonly now: () => EpochMs;
};

/** Nobody is sent away for longer: who comes back then is paced anew. */
const LONGEST_SECONDS = 300;

/** Seconds until one who is sent away comes back: each at a moment of its own, a step after the one before. */
export const momentsToReturn = (stepMs: number): ((at: EpochMs, waitMs: number) => number) => {
  /** The moment that was given last. */
  let last = Number.NEGATIVE_INFINITY;
  return (at, waitMs) => {
    last = Math.min(at + LONGEST_SECONDS * 1_000, Math.max(last, at + waitMs) + stepMs);
    return Math.ceil((last - at) / 100) / 10;
  };
};

export const pace = (terms: PaceTerms): Pace => {
  const { maxWaitMs, now } = terms;
  const stepMs = 1_000 / terms.perSecond;
  const slackMs = (Math.max(1, terms.burst) - 1) * stepMs;
  /** When all turns that were given are over. */
  let freeAt = Number.NEGATIVE_INFINITY;
  const returns = momentsToReturn(stepMs);
  return {
    turn: () => {
      const at = now();
      // a clock that was set back by a lot does not hold everybody up
      if (freeAt - slackMs - at > maxWaitMs + LONGEST_SECONDS * 1_000) freeAt = at;
      const from = Math.max(freeAt, at);
      const waitMs = Math.max(0, from - slackMs - at);
      if (waitMs <= maxWaitMs) {
        freeAt = from + stepMs;
        return { ok: true, waitMs };
      }
      return { ok: false, retryAfterSeconds: returns(at, waitMs) };
    },
  };
};
