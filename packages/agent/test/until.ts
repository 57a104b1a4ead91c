/** Waits for a fact, not for a time: looks again until it is there. Fails with `what` when it never comes. */
const LOOK_MS = 5;
const PATIENCE_MS = 15_000;

export const until = async <T>(what: string, look: () => T | null | undefined | false): Promise<T> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await Bun.sleep(LOOK_MS);
  }
};
