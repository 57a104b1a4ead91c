/**
 * How much may come in at once and how fast after that, remembered in one number: when what came in so far will have
 * leaked away (the generic cell rate algorithm, ITU-T I.371). 0 is an empty bucket.
 */
import type { EpochMs } from '@longarm/contract/instant';

export type Bucket = {
  /** Units that leak away a second. */
  readonly perSecond: number;
  /** Seconds' worth of units that it holds. */
  readonly depthSeconds: number;
};

const MILLISECONDS = 1_000;

/** The moment at which the bucket is empty again with these units in it, whether they fit or not. */
export const filled = (emptyAt: EpochMs, bucket: Bucket, { units, now }: { units: number; now: EpochMs }): EpochMs =>
  Math.max(emptyAt, now) + (units / bucket.perSecond) * MILLISECONDS;

export const overflows = (emptyAt: EpochMs, bucket: Bucket, now: EpochMs): boolean =>
  emptyAt - now > bucket.depthSeconds * MILLISECONDS;
