/**
 * Sockets that have not proven who they are: how many there may be in all, and how many from one address within the time
 * that a proof may take. A proof gives its place back, so that a whole fleet behind one address gets in, and whoever only
 * opens sockets, or opens and closes them, does not keep others out.
 */
import type { EpochMs } from '@longarm/contract/instant';
import type { LimitName, Limits } from '@longarm/contract/limits';
import { filled, overflows } from './leaky-bucket.ts';

/** Somebody who is sent away for it comes back after this many seconds. */
const AWAY_SECONDS = 10;
/** Groups of an IPv6 address that one network has of its own: a /64. */
const IPV6_GROUPS = 4;

export type Crowded = { readonly limit: LimitName; readonly sentence: string; readonly retryAfterSeconds: number };

export type Strangers = {
  /** Whether one more may come in; it is not counted by asking. */
  readonly refusal: (address: string | null) => Crowded | null;
  readonly enter: (address: string | null) => void;
  /** It has proven who it is: it counts no more, from the beginning. */
  readonly proven: (address: string | null) => void;
  /** It has gone without a proof: its address has had it all the same. */
  readonly gone: () => void;
  readonly forget: () => void;
};

/** Who is one, as far as an address tells: an IPv6 network, or an IPv4 address however it is written. */
export const networkOf = (address: string | null): string => {
  const text = (address ?? '').toLowerCase().replace(/^::ffff:(?=[0-9.]+$)/, '');
  if (!text.includes(':')) return text;
  const [head = '', tail = ''] = text.split('::');
  const [front, back] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''));
  const missing = text.includes('::') ? Math.max(0, 8 - (front?.length ?? 0) - (back?.length ?? 0)) : 0;
  const groups = [...(front ?? []), ...Array<string>(missing).fill('0'), ...(back ?? [])];
  return groups
    .slice(0, IPV6_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
};

export const strangers = (io: { readonly limits: Limits; readonly now: () => EpochMs }): Strangers => {
  const { limits, now } = io;
  const depthSeconds = limits['handshake-seconds'];
  const bucket = { perSecond: limits['unproven-per-address'] / depthSeconds, depthSeconds };
  const untilOf = new Map<string, EpochMs>();
  let present = 0;
  const until = (address: string | null, units: number): EpochMs =>
    filled(untilOf.get(networkOf(address)) ?? 0, bucket, { units, now: now() });
  return {
    refusal: (address) => {
      if (present >= limits['unproven-sockets'])
        return {
          limit: 'unproven-sockets',
          sentence: `expected at most ${limits['unproven-sockets']} connections that have not proven themselves, got more`,
          retryAfterSeconds: AWAY_SECONDS,
        };
      if (!overflows(until(address, 1), bucket, now())) return null;
      return {
        limit: 'unproven-per-address',
        sentence: `expected at most ${limits['unproven-per-address']} connections from one address in ${depthSeconds} s that do not prove themselves, got more`,
        retryAfterSeconds: AWAY_SECONDS,
      };
    },
    enter: (address) => {
      present++;
      untilOf.set(networkOf(address), until(address, 1));
    },
    proven: (address) => {
      present = Math.max(0, present - 1);
      const key = networkOf(address);
      const known = untilOf.get(key);
      if (known !== undefined) untilOf.set(key, known - 1_000 / bucket.perSecond);
    },
    gone: () => {
      present = Math.max(0, present - 1);
    },
    forget: () => {
      const at = now();
      for (const [key, moment] of untilOf) if (moment <= at) untilOf.delete(key);
    },
  };
};
