/** Calls back after a delay in milliseconds, on a clock that no one can set; returns how to call it off. */
export type After = (delayMs: number, wake: () => void) => () => void;

/** The event loop has come round once: what is being done now has been done. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves after the delay, or at once when the signal is or gets aborted. Never rejects. */
export const pause = (after: After, delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = () => {
      callOff();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const callOff = after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
