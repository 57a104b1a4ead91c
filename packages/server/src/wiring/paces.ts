/** The wiring of how fast a herd of devices is enrolled and given work: enrolments and offers have rates of their own. */
import type { EpochMs } from '@longarm/contract/instant';
import { type Limits, TURN_WAIT_SECONDS } from '@longarm/contract/limits';
import { pace } from '../limits/pace.ts';

/** Part of a second whose turns may come at once: more would stand in the way of calls of the API. */
const BURST_SECONDS = 0.1;

type PaceIo = { readonly limits: Limits; readonly now: () => EpochMs };

export const enrolPace = (io: PaceIo) => {
  const perSecond = io.limits['enrols-per-second'];
  return pace({ perSecond, burst: perSecond * BURST_SECONDS, maxWaitMs: TURN_WAIT_SECONDS * 1_000, now: io.now });
};

/** A second's offers may go out at once; who is past it waits for the dispatcher's next tick, not here. */
export const offerPace = ({ limits, now }: PaceIo): (() => boolean) => {
  const perSecond = limits['offers-per-second'];
  const { turn } = pace({ perSecond, burst: perSecond, maxWaitMs: 0, now });
  return () => turn().ok;
};
