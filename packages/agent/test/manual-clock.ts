/** Time that stands still until a test moves it. */
export const manualClock = () => {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  const after = (delayMs: number, wake: () => void) => {
    const timer = { atMs: nowMs + delayMs, wake };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const nextDue = (untilMs: number) =>
    [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  return {
    now: () => nowMs,
    after,
    pending: () => timers.size,
    /** Moves the clock and fires what falls due on the way, in order. */
    advance: (byMs: number) => {
      const end = nowMs + byMs;
      for (let due = nextDue(end); due !== undefined; due = nextDue(end)) {
        timers.delete(due);
        nowMs = due.atMs;
        due.wake();
      }
      nowMs = end;
    },
  };
};
