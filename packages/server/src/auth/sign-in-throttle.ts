/**
 * Wrong guesses make the next one wait, longer each time. Counted per account and source, per account from anywhere,
 * and per source over the accounts that it failed at. In memory: a restart forgets them.
 *
 * A stranger who fails at a person's account on purpose makes that person wait for seconds at most: only the count of
 * the stranger's own source grows to a minute.
 */
import { OAuthFault } from './oauth-fault.ts';

export type Attempt = {
  /** Nobody guesses an application's secret of 256 bits; a person's password is another matter. */
  readonly kind: 'application' | 'person';
  readonly account: string;
  /** An address; null where it is not known: all of those are one. */
  readonly source: string | null;
};

export type SignInThrottle = {
  /** Throws OAuthFault (429) when the account or the source has to wait. */
  readonly require: (attempt: Attempt) => void;
  /** Milliseconds until the next attempt is looked at; 0: now. */
  readonly waitMs: (attempt: Attempt) => number;
  readonly failed: (attempt: Attempt) => void;
  /** The account's failures are forgotten. */
  readonly succeeded: (attempt: Attempt) => void;
  /** Forgets what is long over; to be called now and then. */
  readonly forget: () => void;
};

type Rule = { readonly free: number; readonly longestMs: number };

const FIRST_MS = 1_000;
/** Failures that cost nothing, and the longest wait after those. */
const RULES: Readonly<Record<Attempt['kind'], Readonly<Record<'pair' | 'account' | 'source', Rule>>>> = {
  application: {
    pair: { free: 20, longestMs: 60_000 },
    account: { free: 40, longestMs: 5_000 },
    source: { free: 40, longestMs: 60_000 },
  },
  person: {
    pair: { free: 5, longestMs: 60_000 },
    account: { free: 10, longestMs: 5_000 },
    source: { free: 20, longestMs: 60_000 },
  },
};
type RuleName = keyof (typeof RULES)['person'];

/** Without a failure for this long, all is forgotten. */
const REMEMBERED_MS = 900_000;
/** Counts kept; beyond, the oldest go. */
const COUNTS_KEPT = 100_000;

type Count = { readonly failures: number; readonly until: number; readonly at: number };

const RULE_NAMES: readonly RuleName[] = ['pair', 'account', 'source'];

const keysOf = ({ kind, account, source }: Attempt): Readonly<Record<RuleName, string>> => {
  const name = `${kind} ${account.slice(0, 300).toLowerCase()}`;
  return { pair: `pair ${source} ${name}`, account: `account ${name}`, source: `source ${kind} ${source}` };
};

const waitAfter = (failures: number, { free, longestMs }: Rule): number =>
  failures <= free ? 0 : Math.min(longestMs, FIRST_MS * 2 ** Math.min(30, failures - free - 1));

export const signInThrottle = (io: { readonly now: () => number }): SignInThrottle => {
  const counts = new Map<string, Count>();
  const current = (key: string): Count | null => {
    const count = counts.get(key);
    return count === undefined || count.at <= io.now() - REMEMBERED_MS ? null : count;
  };
  const count = (key: string, rule: Rule): void => {
    const failures = (current(key)?.failures ?? 0) + 1;
    counts.delete(key);
    counts.set(key, { failures, until: io.now() + waitAfter(failures, rule), at: io.now() });
    const oldest = counts.size > COUNTS_KEPT ? counts.keys().next().value : undefined;
    if (oldest !== undefined) counts.delete(oldest);
  };
  const waitMs = (attempt: Attempt): number => {
    const keys = keysOf(attempt);
    return Math.max(0, ...RULE_NAMES.map((name) => (current(keys[name])?.until ?? 0) - io.now()));
  };
  return {
    waitMs,
    require: (attempt) => {
      const seconds = Math.ceil(waitMs(attempt) / 1_000);
      if (seconds > 0)
        throw new OAuthFault('tooManyFailures', `Too many attempts failed. Try again in ${seconds} seconds.`, seconds);
    },
    failed: (attempt) => {
      const keys = keysOf(attempt);
      // one client with an old secret is no spray over accounts, and does not hold up its neighbours
      const rules = RULES[attempt.kind];
      if (current(keys.pair) === null) count(keys.source, rules.source);
      count(keys.pair, rules.pair);
      count(keys.account, rules.account);
    },
    succeeded: (attempt) => {
      const keys = keysOf(attempt);
      counts.delete(keys.pair);
      counts.delete(keys.account);
    },
    forget: () => {
      for (const [key, { at }] of counts) if (at <= io.now() - REMEMBERED_MS) counts.delete(key);
    },
  };
};
