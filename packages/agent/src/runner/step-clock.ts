/** What the parts of a command take, for who traces its action. */
import type { DEVICE_STEPS, DeviceStep } from '@longarm/contract/wire/to-server';

export type StepName = (typeof DEVICE_STEPS)[number];

export type StepClock = {
  /** Does the work, and remembers what it took. */
  readonly time: <Answer>(name: StepName, work: () => Promise<Answer>) => Promise<Answer>;
  readonly steps: () => readonly DeviceStep[];
};

/** Nobody asked: the work is done, and that is all. */
const UNTIMED: StepClock = { time: (_name, work) => work(), steps: () => [] };

/** `now`: server time, milliseconds; `monotonic`: milliseconds, with fractions. Each part is there once, the last time it was done. */
export const stepClock = (
  isTraced: boolean,
  io: { readonly now: () => number; readonly monotonic: () => number },
): StepClock => {
  if (!isTraced) return UNTIMED;
  const taken = new Map<StepName, DeviceStep>();
  return {
    time: async (name, work) => {
      const startedAt = io.now();
      const start = io.monotonic();
      try {
        return await work();
      } finally {
        taken.set(name, { name, startedAt, milliseconds: Math.max(0, io.monotonic() - start) });
      }
    },
    steps: () => [...taken.values()],
  };
};
