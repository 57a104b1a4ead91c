/** Chance out of a seed: the same seed gives the same numbers, on every machine. */

export type Random = {
  /** At least 0, below 1. */
  readonly next: () => number;
  /** Whole, both ends included. */
  readonly int: (low: number, high: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <Item>(items: readonly [Item, ...Item[]]) => Item;
  /** A stream of its own, so that what one part draws does not shift what another one gets. */
  readonly fork: () => Random;
};

/** Mixes a word well enough that neighbouring seeds have nothing in common (the finaliser of MurmurHash3). */
const mix = (word: number): number => {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

export const seededRandom = (seed: number): Random => {
  let state = mix(seed + 0x9e3779b9);
  let forks = 0;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (items) => items[int(0, items.length - 1)] ?? items[0],
    fork: () => seededRandom(mix(state) ^ mix(++forks)),
  };
};

/** A GUID of the form that ids have. */
export const guidOf = (random: Random): string => {
  const hex = Array.from({ length: 32 }, () => random.int(0, 15).toString(16)).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};
