/**
 * How a copied state folder is noticed. Each connection hands the device a new token, which it keeps on its disk and
 * shows at the next one: two that live on one state have one token between them. A device that went back (a restored
 * backup, a disk that kept nothing) shows an old token as well, but never again the one that was put out of use by that: who does is a second one.
 *
 *   shown is current, or pending    as ever
 *   shown is displaced              copied: somebody else went on from an older state, and this one from its own
 *   shown is anything else          went back
 *
 * All are hashes; nothing here is a secret.
 */
export type Generations = {
  /** The device keeps it for sure. */
  readonly current: string | null;
  /** Handed out last, to whoever showed `from`; not yet known to be kept. */
  readonly pending: { readonly hash: string; readonly from: string | null } | null;
  /** Kept for sure once, and put out of use by who showed another; the newest. */
  readonly displaced: readonly string[];
  /** A copy was refused: only the hardware that enrolled is let in. */
  readonly isPinned: boolean;
};

export const NO_GENERATIONS: Generations = { current: null, pending: null, displaced: [], isPinned: false };

/** Tokens remembered of one machine as displaced. */
const DISPLACED = 8;

const promote = (state: Generations): Generations => {
  const { current, pending, displaced } = state;
  if (pending === null) return state;
  const isTakenOver = current !== null && pending.from !== current;
  return {
    ...state,
    current: pending.hash,
    pending: null,
    displaced: isTakenOver ? [...displaced, current].slice(-DISPLACED) : displaced,
  };
};

export type Verdict = 'usual' | 'went-back' | 'copied';

/** A device shows a token, and is handed another. */
export const present = (
  before: Generations,
  shown: string | null,
  handedOut: string,
): { readonly generations: Generations; readonly verdict: Verdict } => {
  const state = shown !== null && before.pending?.hash === shown ? promote(before) : before;
  const isCopied = shown !== null && state.displaced.includes(shown);
  const verdict = isCopied ? 'copied' : shown === state.current ? 'usual' : 'went-back';
  return { generations: { ...state, pending: { hash: handedOut, from: shown } }, verdict };
};

/** The device says that the token is on its disk. */
export const keep = (state: Generations, hash: string): Generations =>
  state.pending?.hash === hash ? promote(state) : state;

export type CopyDecision = 'refuse-this' | 'refuse-other' | 'quarantine';

/** Who of two that share a key is the device: the one whose hardware enrolled, where they differ in it. */
export const judgeCopy = (hardware: {
  readonly enrolled: string;
  /** Of the connection before this one. */
  readonly other: string | null;
  readonly own: string | null;
}): CopyDecision => {
  const { enrolled, other, own } = hardware;
  if (own === null || other === null || own === other) return 'quarantine';
  if (own === enrolled) return 'refuse-other';
  return other === enrolled ? 'refuse-this' : 'quarantine';
};
