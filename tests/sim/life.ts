/**
 * One run of a program, from its start to its end. A crash ends it between any two of its effects: whatever of it
 * still has a promise open goes on in vain, since nothing that it does reaches the world any more.
 */
import type { CallOff, VirtualTime } from './virtual-time.ts';

/** Thrown where a program that is over tries to do something; nothing of the product catches it for good. */
class LifeOver extends Error {
  override readonly name = 'LifeOver';
}

export type Life = {
  readonly isOver: () => boolean;
  /** Ends it now. */
  readonly end: () => void;
  readonly onEnd: (listener: () => void) => void;
  /** It dies at the n-th of its effects from now on. */
  readonly doom: (effects: number) => void;
  /** An effect is about to happen, or has just happened. Throws LifeOver when it is over, or is over by this. */
  readonly pass: () => void;
  readonly after: VirtualTime['after'];
  /** Never settles when it is over. */
  readonly sleep: (delayMs: number) => Promise<void>;
};

export const newLife = (time: VirtualTime): Life => {
  const listeners: (() => void)[] = [];
  let isOver = false;
  let effectsLeft = Number.POSITIVE_INFINITY;
  const end = () => {
    if (isOver) return;
    isOver = true;
    for (const listener of listeners) listener();
  };
  const after = (delayMs: number, wake: () => void): CallOff => {
    if (isOver) return () => {};
    return time.after(delayMs, () => {
      if (!isOver) wake();
    });
  };
  return {
    isOver: () => isOver,
    end,
    onEnd: (listener) => void listeners.push(listener),
    doom: (effects) => {
      effectsLeft = effects;
    },
    pass: () => {
      if (!isOver && --effectsLeft < 0) end();
      if (isOver) throw new LifeOver('this run of the program is over');
    },
    after,
    sleep: (delayMs) => new Promise((resolve) => void after(delayMs, resolve)),
  };
};
