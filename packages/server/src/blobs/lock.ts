/** One at a time, by name: work under the same name runs in the order in which it was asked for. */
export type Lock = {
  readonly run: <Answer>(name: string, work: () => Promise<Answer>) => Promise<Answer>;
  /** True while work under the name runs or waits. */
  readonly isHeld: (name: string) => boolean;
};

export const namedLock = (): Lock => {
  const last = new Map<string, Promise<void>>();
  return {
    run: async (name, work) => {
      const before = last.get(name);
      const { promise: done, resolve } = Promise.withResolvers<void>();
      last.set(name, done);
      await before;
      try {
        return await work();
      } finally {
        resolve();
        if (last.get(name) === done) last.delete(name);
      }
    },
    isHeld: (name) => last.has(name),
  };
};
