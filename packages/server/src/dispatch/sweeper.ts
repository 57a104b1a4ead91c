/** The clock's side of the engine: chores that run each at its own interval, one at a time, for as long as it lives. */
export type Chore = {
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<unknown>;
};

type SweepIo = {
  /** Calls back every so many milliseconds; returns how to stop. The call resolves when the chore has ended. */
  readonly every: (milliseconds: number, call: () => Promise<void>) => () => void;
  /** A chore that failed: logged, and tried again at its next time. */
  readonly onFault: (chore: string, fault: unknown) => void;
};

/** Starts the chores; resolves, when stopped, after those that run have ended. */
export const startSweeper = (io: SweepIo, chores: readonly Chore[]): (() => Promise<void>) => {
  const running = new Map<string, Promise<void>>();
  const start = (chore: Chore): Promise<void> => {
    const before = running.get(chore.name);
    if (before !== undefined) return before;
    const run = chore
      .run()
      .then(() => undefined)
      .catch((fault) => io.onFault(chore.name, fault))
      .finally(() => running.delete(chore.name));
    running.set(chore.name, run);
    return run;
  };
  const stops = chores.map((chore) => io.every(chore.everyMs, () => start(chore)));
  return async () => {
    for (const stop of stops) stop();
    await Promise.all(running.values());
  };
};
