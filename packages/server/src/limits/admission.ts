/**
 * How devices that connect are let in: so many a second at most, in small groups by a clock, so that what a group needs is
 * read and written together; and fewer while the event loop is late, so that calls of the API do not wait behind a herd.
 * Additive increase, multiplicative decrease, as TCP does it (RFC 5681).
 *
 *   enter ──credit──▶ begin        tick, every 25 ms: late? fewer a second : more; then as many begin as credit allows
 *     └──▶ queue ──tick──▶ begin
 *     └── longer than the longest wait ──▶ sendAway, each to a moment of its own
 */
import type { EpochMs } from '@longarm/contract/instant';
import { momentsToReturn } from './pace.ts';

/** Milliseconds between two groups. */
const TICK_MS = 25;
/** So late, in milliseconds, may a tick be: two of such waits, and a call of the API has taken a fifth of a second. */
export const LATE_MS = 100;
/** Part of a second's turns that may come at once after a quiet time. */
const BURST_SECONDS = 0.1;
/** A late loop halves the rate; each tick in time gives a tenth of the whole back. */
const SLOWER = 0.5;
const FASTER = 0.1;
/** Some are let in however late the loop is: on a machine that is busy with other things slowing down would not help. */
const LEAST_SHARE = 0.25;

export type Entrant = {
  readonly begin: () => void;
  readonly sendAway: (retryAfterSeconds: number) => void;
};

export type AdmissionTerms = {
  /** At most; less while the loop is late. */
  readonly perSecond: number;
  /** Who would wait for longer at the full rate, or has waited for twice as long, is sent away. */
  readonly maxWaitMs: number;
  readonly now: () => EpochMs;
  readonly after: (delayMs: number, wake: () => void) => void;
};

/** The rate after a tick that came so late. */
const nextRate = (rate: number, most: number, lateMs: number): number =>
  lateMs > LATE_MS ? Math.max(most * LEAST_SHARE, rate * SLOWER) : Math.min(most, rate + most * FASTER);

type Waiting = Entrant & { readonly since: EpochMs };

/** Gives how one comes in: at once, later, or not now. */
export const admission = (terms: AdmissionTerms): ((entrant: Entrant) => void) => {
  const { perSecond: most, maxWaitMs, now, after } = terms;
  const burst = Math.max(1, most * BURST_SECONDS);
  const returns = momentsToReturn(1_000 / most);
  let rate = most;
  let credit = burst;
  let creditedAt = now();
  let queue: Waiting[] = [];
  let tickDue: EpochMs | null = null;

  /** A late tick does not make up for what it missed, nor does a clock that was set. */
  const earn = (longestMs: number) => {
    const passedMs = Math.max(0, Math.min(longestMs, now() - creditedAt));
    credit = Math.min(burst, credit + (rate * passedMs) / 1_000);
    creditedAt = now();
  };
  const schedule = () => {
    tickDue = now() + TICK_MS;
    after(TICK_MS, tick);
  };
  const tick = () => {
    rate = nextRate(rate, most, now() - (tickDue ?? now()));
    tickDue = null;
    earn(2 * TICK_MS);
    const count = Math.floor(credit);
    const group = queue.slice(0, count);
    queue = queue.slice(count);
    credit -= group.length;
    if (queue.length > 0) schedule();
    for (const { begin, sendAway, since } of group) {
      if (now() - since > 2 * maxWaitMs) sendAway(returns(now(), maxWaitMs));
      else begin();
    }
  };

  return (entrant) => {
    if (queue.length === 0) earn(Number.POSITIVE_INFINITY);
    if (queue.length === 0 && credit >= 1) {
      credit -= 1;
      return entrant.begin();
    }
    const waitMs = ((queue.length + 1 - credit) * 1_000) / most;
    if (waitMs > maxWaitMs) return entrant.sendAway(returns(now(), waitMs));
    queue.push({ ...entrant, since: now() });
    if (tickDue === null) schedule();
  };
};
