/** How many of something each subject does at the same moment; what is over is refused, not queued. */

export type AtOnce = {
  /** Does the work, or null when the subject does as much already. */
  readonly run: <Done>(subject: string, work: () => Promise<Done>) => Promise<Done | null>;
};

export const atOnce = (most: number): AtOnce => {
  const running = new Map<string, number>();
  return {
    run: async (subject, work) => {
      const before = running.get(subject) ?? 0;
      if (before >= most) return null;
      running.set(subject, before + 1);
      try {
        return await work();
      } finally {
        const left = (running.get(subject) ?? 1) - 1;
        if (left === 0) running.delete(subject);
        else running.set(subject, left);
      }
    },
  };
};
