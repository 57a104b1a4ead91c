/**
 * What one device may send on its connection: frames and bytes a second, with some seconds' worth at once, and bytes a
 * day. It is judged before a frame is decoded, and a device that connects anew goes on with what it has spent.
 */
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { DEVICE_BURST_SECONDS, FRAMES_PER_CONNECT, type LimitName, type Limits } from '@longarm/contract/limits';
import { type Bucket, filled, overflows } from './leaky-bucket.ts';

const DAY_SECONDS = 86_400;
const KIB = 1_024;
const MIB = 1_048_576;
/** A device that is over is sent away for this long at least, and for this part of the time that would clear it. */
const AWAY_SECONDS = 10;
const AWAY_PART = 1 / 24;

/** When each of its three buckets is empty again; part of a session, and so three numbers and no more. */
export type Spent = { framesUntil: EpochMs; bytesUntil: EpochMs; dayUntil: EpochMs };

/** A limit that was passed, in a sentence. */
export type Overdraft = { readonly limit: LimitName; readonly sentence: string; readonly retryAfterSeconds: number };

type Rule = { readonly limit: LimitName; readonly field: keyof Spent; readonly bucket: Bucket; readonly words: string };

const rulesOf = (limits: Limits): Readonly<Record<'frames' | 'bytes' | 'day', Rule>> => {
  const [frames, kib, mib] = [
    limits['frames-per-second'],
    limits['control-kib-per-second'],
    limits['control-mib-per-day'],
  ];
  return {
    frames: {
      limit: 'frames-per-second',
      field: 'framesUntil',
      bucket: { perSecond: frames, depthSeconds: DEVICE_BURST_SECONDS },
      words: `${frames} frames a second`,
    },
    bytes: {
      limit: 'control-kib-per-second',
      field: 'bytesUntil',
      bucket: { perSecond: kib * KIB, depthSeconds: DEVICE_BURST_SECONDS },
      words: `${kib} KiB a second`,
    },
    day: {
      limit: 'control-mib-per-day',
      field: 'dayUntil',
      bucket: { perSecond: (mib * MIB) / DAY_SECONDS, depthSeconds: DAY_SECONDS },
      words: `${mib} MiB a day`,
    },
  };
};

const overdraftOf = ({ limit, bucket, words }: Rule): Overdraft => {
  const retryAfterSeconds = Math.max(AWAY_SECONDS, Math.ceil(bucket.depthSeconds * AWAY_PART));
  const sentence = `expected at most ${words} of one device, got more; come again in ${retryAfterSeconds} s`;
  return { limit, sentence, retryAfterSeconds };
};

export type DeviceBudgets = {
  /** Spends a frame of so many bytes; what is refused is not spent. */
  readonly spend: (spent: Spent, bytes: number) => Overdraft | null;
  /** Gives a frame back: it was asked for, and its amount is bounded by that. */
  readonly giveBack: (spent: Spent, bytes: number) => void;
  /** A machine has proven itself on a new connection, whose spending goes on from here. */
  readonly enter: (machineId: MachineId, spent: Spent) => Overdraft | null;
  /** Its connection is over. */
  readonly leave: (machineId: MachineId, spent: Spent) => void;
  /** Forgets machines that owe nothing any more; to be called now and then. */
  readonly forget: () => void;
};

const owesNothing = (spent: Spent, now: EpochMs): boolean =>
  spent.framesUntil <= now && spent.bytesUntil <= now && spent.dayUntil <= now;

export const deviceBudgets = (io: { readonly limits: Limits; readonly now: () => EpochMs }): DeviceBudgets => {
  const rules = rulesOf(io.limits);
  /** Of machines that are not connected here. */
  const kept = new Map<MachineId, Spent>();
  const spendAll = (spent: Spent, costs: readonly (readonly [Rule, number])[]): Overdraft | null => {
    const now = io.now();
    const after = costs.map(([rule, units]) => filled(spent[rule.field], rule.bucket, { units, now }));
    const over = costs.find(([rule], place) => overflows(after[place] ?? 0, rule.bucket, now));
    if (over !== undefined) return overdraftOf(over[0]);
    for (const [place, [rule]] of costs.entries()) spent[rule.field] = after[place] ?? 0;
    return null;
  };
  const costsOf = (bytes: number): readonly (readonly [Rule, number])[] => [
    [rules.frames, 1],
    [rules.bytes, bytes],
    [rules.day, bytes],
  ];
  return {
    spend: (spent, bytes) => spendAll(spent, costsOf(bytes)),
    giveBack: (spent, bytes) => {
      for (const [{ field, bucket }, units] of costsOf(bytes)) spent[field] -= (units / bucket.perSecond) * 1_000;
    },
    enter: (machineId, spent) => {
      const before = kept.get(machineId);
      if (before !== undefined) Object.assign(spent, before);
      kept.delete(machineId);
      return spendAll(spent, [[rules.frames, FRAMES_PER_CONNECT]]);
    },
    leave: (machineId, { framesUntil, bytesUntil, dayUntil }) => {
      const spent = { framesUntil, bytesUntil, dayUntil };
      if (!owesNothing(spent, io.now())) kept.set(machineId, spent);
    },
    forget: () => {
      const now = io.now();
      for (const [machineId, spent] of kept) if (owesNothing(spent, now)) kept.delete(machineId);
    },
  };
};

/** Of two connections of one machine, what both have spent: the later one goes on from it. */
export const inherit = (spent: Spent, older: Spent): void => {
  spent.framesUntil = Math.max(spent.framesUntil, older.framesUntil);
  spent.bytesUntil = Math.max(spent.bytesUntil, older.bytesUntil);
  spent.dayUntil = Math.max(spent.dayUntil, older.dayUntil);
};
