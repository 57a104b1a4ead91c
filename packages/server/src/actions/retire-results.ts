/** Retention (semantics 19): old results go, then bytes that nothing refers to; actions and the audit stay. */
import type { Sha256 } from '@longarm/contract/ids';
import type { Limits } from '@longarm/contract/limits';
import type { BlobStore } from '../library/ports.ts';
import type { Clock, ResultStore } from './ports.ts';

const DAY_MS = 86_400_000;
/** Rows deleted in one unit of work. */
const ROWS_PER_UNIT = 500;
/** Blobs asked about at once. */
const BLOBS_AT_ONCE = 500;
/** A blob this young may belong to a row that is still to be written. */
const YOUNG_MS = 3_600_000;
/** An unfinished upload that nobody touched for this long is given up. */
const STALE_UPLOAD_MS = 7 * DAY_MS;

type RetireIo = {
  readonly results: Pick<ResultStore, 'retire' | 'unreferenced'>;
  readonly blobs: Pick<BlobStore, 'olderThan' | 'removeIfOlder' | 'discardStale'>;
  readonly clock: Clock;
  readonly limits: Limits;
};

const removeUnreferenced = async (io: RetireIo, candidates: readonly Sha256[], moment: number): Promise<number> => {
  let removed = 0;
  for (const blob of await io.results.unreferenced(candidates)) {
    if (await io.blobs.removeIfOlder(blob, moment)) removed++;
  }
  return removed;
};

/** Resolves to how many results and blobs are gone. */
export const retireResults =
  (io: RetireIo) => async (): Promise<{ readonly results: number; readonly blobs: number }> => {
    const now = io.clock.now();
    let results = 0;
    for (let gone = ROWS_PER_UNIT; gone === ROWS_PER_UNIT; results += gone) {
      gone = await io.results.retire(now - io.limits['retain-days'] * DAY_MS, ROWS_PER_UNIT);
    }
    const moment = now - YOUNG_MS;
    let blobs = 0;
    let candidates: Sha256[] = [];
    for await (const blob of io.blobs.olderThan(moment)) {
      candidates.push(blob);
      if (candidates.length < BLOBS_AT_ONCE) continue;
      blobs += await removeUnreferenced(io, candidates, moment);
      candidates = [];
    }
    blobs += await removeUnreferenced(io, candidates, moment);
    await io.blobs.discardStale(now - STALE_UPLOAD_MS);
    return { results, blobs };
  };
