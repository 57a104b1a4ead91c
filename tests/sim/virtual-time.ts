/**
 * Time that moves when nothing is left to do at the present moment. Everything in the world happens in one thread, by
 * timers and promises: a timer fires, all microtasks that follow from it run, the next timer fires. No real timer, and
 * no turn of the runtime's own loop, is ever waited for.
 */
import { drainMicrotasks } from 'bun:jsc';

export type CallOff = () => void;

export type VirtualTime = {
  /** Milliseconds since the world began. */
  readonly now: () => number;
  readonly after: (delayMs: number, wake: () => void) => CallOff;
  /** Fires what falls due up to the moment, in order, and stands there then. */
  readonly runUntil: (momentMs: number) => void;
  /** How many timers have fired. */
  readonly fired: () => number;
};

type Timer = { readonly atMs: number; readonly order: number; wake: (() => void) | null };

const isBefore = (a: Timer, b: Timer): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** A binary heap, the earliest on top. */
const timerHeap = () => {
  const heap: Timer[] = [];
  const swap = (a: number, b: number) => {
    const [first, second] = [heap[a], heap[b]];
    if (first === undefined || second === undefined) return;
    heap[a] = second;
    heap[b] = first;
  };
  const less = (a: number, b: number): boolean => {
    const [first, second] = [heap[a], heap[b]];
    return first !== undefined && second !== undefined && isBefore(first, second);
  };
  const sink = (from: number) => {
    for (let at = from; ; ) {
      let least = at;
      if (less(2 * at + 1, least)) least = 2 * at + 1;
      if (less(2 * at + 2, least)) least = 2 * at + 2;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  };
  return {
    first: () => heap[0],
    push: (timer: Timer) => {
      heap.push(timer);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!less(at, parent)) return;
        swap(at, parent);
        at = parent;
      }
    },
    pop: () => {
      swap(0, heap.length - 1);
      heap.pop();
      sink(0);
    },
  };
};

/** The runtime runs no microtasks while it still loads modules that await something. */
const requireTurn = () => {
  let hasRun = false;
  Promise.resolve().then(() => {
    hasRun = true;
  });
  drainMicrotasks();
  if (!hasRun) throw new Error('expected modules to be loaded: begin a world in a turn of its own, by setImmediate');
};

/** Throws while modules are still being loaded. */
export const virtualTime = (): VirtualTime => {
  requireTurn();
  const heap = timerHeap();
  let nowMs = 0;
  let orders = 0;
  let fired = 0;
  return {
    now: () => nowMs,
    fired: () => fired,
    after: (delayMs, wake) => {
      const timer: Timer = { atMs: nowMs + Math.max(0, delayMs), order: ++orders, wake };
      heap.push(timer);
      return () => {
        timer.wake = null;
      };
    },
    runUntil: (momentMs) => {
      drainMicrotasks();
      for (let timer = heap.first(); timer !== undefined && timer.atMs <= momentMs; timer = heap.first()) {
        heap.pop();
        if (timer.wake === null) continue;
        nowMs = timer.atMs;
        fired++;
        timer.wake();
        drainMicrotasks();
      }
      nowMs = momentMs;
    },
  };
};
