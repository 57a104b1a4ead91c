/** How long to stay away after a connection failed: full jitter, so that a thousand devices do not return as one. */

const BASE_MS = 500;
const CAP_MS = 60_000;
/** A connection that lived this long was a good one: what comes after it starts anew. */
export const STABLE_MS = 60_000;

/** `failures`: how many in a row, this one included. `atLeastMs`: what the server asked for. */
export const backoffMs = (failures: number, random: () => number, atLeastMs: number): number => {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** (failures - 1));
  // what the server asked for is kept; the jitter comes on top
  return Math.round(atLeastMs + random() * ceiling);
};
