/** Time that stands still until a test moves it, and ids that count: for code that takes them as parameters. */

type Timer = { readonly atMs: number; readonly wake: () => void };

export type ManualWorld = {
  readonly now: () => number;
  readonly after: (delayMs: number, wake: () => void) => () => void;
  readonly randomId: () => string;
  /** Moves the clock and fires what falls due, in order. */
  readonly advance: (byMs: number) => void;
  /** Resolves once so many timers (1 if not told) of exactly this delay have been set, now or before. */
  readonly timerOf: (delayMs: number, count?: number) => Promise<void>;
};

const START_MS = Date.UTC(2026, 1, 4, 12, 0, 0);

export const createManualWorld = (): ManualWorld => {
  let nowMs = START_MS;
  let ids = 0;
  const timers = new Set<Timer>();
  const set: number[] = [];
  const waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];
  return {
    now: () => nowMs,
    randomId: () => `id-${++ids}`,
    after: (delayMs, wake) => {
      const timer = { atMs: nowMs + delayMs, wake };
      timers.add(timer);
      set.push(delayMs);
      for (const wait of waiting.filter((one) => one.isMet())) wait.resolve();
      return () => timers.delete(timer);
    },
    advance: (byMs) => {
      nowMs += byMs;
      const due = [...timers].filter((timer) => timer.atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
      for (const timer of due) {
        timers.delete(timer);
        timer.wake();
      }
    },
    timerOf: (delayMs, count = 1) =>
      new Promise((resolve) => {
        const isMet = () => set.filter((one) => one === delayMs).length >= count;
        if (isMet()) resolve();
        else waiting.push({ isMet, resolve });
      }),
  };
};
