/**
 * How long to stay away after a connection is over: full jitter, so that a thousand devices do not return as one.
 *
 * A connection that the server welcomed is no failed attempt: server and way are there, and what ended it may be the
 * device's own Wi-Fi. Pauses after such ones end at a few seconds, wide enough for a fleet whose server takes
 * everybody in and falls over, and they start anew once one lived for a heartbeat.
 */

const BASE_MS = 500;
const CAP_MS = 60_000;
/** Longest pause after a connection that had been welcomed: ten thousand devices come back in some 1,250 a second. */
const WELCOMED_CAP_MS = 8_000;

/** How the connection that is over went. */
export type Course =
  /** Never welcomed. */
  | 'failed'
  /** Welcomed, and over before a heartbeat had passed. */
  | 'short'
  /** It lived for a heartbeat at least. */
  | 'stable';

export type Backoff = {
  /** Milliseconds to stay away now. `atLeastMs`: what the server asked for; the jitter comes on top. */
  readonly next: (course: Course, atLeastMs: number) => number;
};

/** `random`: at least 0, below 1. */
export const backoff = (random: () => number): Backoff => {
  let inARow = 0;
  return {
    next: (course, atLeastMs) => {
      inARow = course === 'stable' ? 1 : inARow + 1;
      const ceiling = Math.min(course === 'failed' ? CAP_MS : WELCOMED_CAP_MS, BASE_MS * 2 ** (inARow - 1));
      return Math.round(atLeastMs + random() * ceiling);
    },
  };
};
